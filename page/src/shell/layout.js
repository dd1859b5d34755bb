import { h, icon } from "../view/dom.js";

/** Where the side covers the page: as in the style. */
const NARROW = "(max-width: 48rem)";

/** What stands where on the page, and what a screen reader is told. */
export class Layout {
  #title;
  #status = h("div", { class: "unseen", role: "status", "aria-live": "polite" });
  #heading;
  #description = h("p", { class: "hint" });
  #menu = h("button", { type: "button", class: "round menu", "aria-label": "Sessions", "aria-expanded": "false" }, icon("menu"));
  #keyButton = h("button", { type: "button", class: "quiet", hidden: true }, icon("key"), "Forget the key");
  #notices = h("div", { class: "notices" });
  #aside;
  #name = "";
  scroller = h("div", { class: "scroller", tabindex: -1 });
  main;

  /**
   * @param {{root: string, title: string}} api
   * @param {HTMLElement} sidebar
   * @param {{element: HTMLElement, focus(): void}} composer
   * @param {() => void} forgetKey
   */
  constructor({ root, title }, sidebar, composer, forgetKey) {
    this.#title = title;
    this.#heading = h("h1", {}, title);
    this.#aside = h(
      "nav",
      { class: "aside", "aria-label": "Chats" },
      h("a", { class: "brand", href: "#/" }, title),
      h("a", { class: "new", href: "#/" }, icon("plus"), "New chat"),
      sidebar,
      h("div", { class: "foot" }, this.#keyButton, h("a", { href: `${root}/docs` }, "API"), h("a", { href: `${root}/chat/licences.txt` }, "Licences")),
    );
    this.main = h("main", {}, h("header", {}, this.#menu, h("div", {}, this.#heading, this.#description)), this.#notices, this.scroller, composer.element);
    const skip = h("a", { class: "skip", href: "#message" }, "Skip to the message");
    document.body.append(skip, this.#aside, this.main, this.#status);
    skip.addEventListener("click", (event) => {
      event.preventDefault();
      composer.focus();
    });
    this.#menu.addEventListener("click", () => this.#toggleAside(!this.#aside.classList.contains("open")));
    // What is inert passes its clicks on.
    document.body.addEventListener("click", (event) => event.target === document.body && this.#toggleAside(false));
    matchMedia(NARROW).addEventListener("change", () => this.#toggleAside(false));
    this.#aside.addEventListener("click", (event) => /** @type {Element} */ (event.target).closest("a") && this.#toggleAside(false));
    this.#keyButton.addEventListener("click", forgetKey);
  }

  /**
   * Says whose page it is.
   * @param {{name: string, description: string} | null} component
   */
  head(component) {
    this.#name = component?.name ?? "";
    this.#heading.textContent = component?.name ?? this.#title;
    this.#description.textContent = component?.description ?? "";
    this.title();
  }

  /** @param {boolean} [news] whether there is something to see that nobody has seen */
  title(news = false) {
    document.title = `${news ? "● " : ""}${this.#name ? `${this.#name} – ` : ""}${this.#title}`;
  }

  /** @param {HTMLElement} element in place of what was shown */
  show(element) {
    this.scroller.replaceChildren(element);
    this.scroller.scrollTop = 0;
  }

  /** @param {string} text for a screen reader */
  tell(text) {
    this.#status.textContent = text;
  }

  /**
   * Shows what failed in a chat that is not open, until somebody goes there or closes it.
   * @param {string} text
   * @param {{address: string, name: string}} link to what can be done about it
   */
  notice(text, { address, name }) {
    const close = h("button", { type: "button", class: "quiet", "aria-label": "Close" }, icon("close"));
    const link = h("a", { href: address }, name);
    const notice = h("p", { class: "notice failure" }, h("span", { dir: "auto" }, text), link, close);
    link.addEventListener("click", () => notice.remove());
    close.addEventListener("click", () => {
      notice.remove();
      this.scroller.focus();
    });
    this.#notices.append(notice);
    this.tell(text);
  }

  /** @param {boolean} has whether there is a key to forget */
  hasKey(has) {
    this.#keyButton.hidden = !has;
  }

  /** Closes the side where it covers the page. Gives whether it did. */
  closeAside() {
    if (!this.#aside.classList.contains("open")) return false;
    this.#toggleAside(false);
    this.#menu.focus();
    return true;
  }

  /** @param {boolean} opens the side over the page, which nobody reaches meanwhile */
  #toggleAside(opens) {
    this.#aside.classList.toggle("open", opens);
    this.main.inert = opens;
    this.#menu.setAttribute("aria-expanded", String(opens));
    if (opens) this.#aside.querySelector("a")?.focus();
  }
}
