/** @import {Field} from "../api/types.js" */
import { h } from "./dom.js";

let count = 0;

/**
 * An input of the type of a field, with its label; `value` gives what is filled in.
 * @param {Field} field
 */
export function inputField(field) {
  const label = field.name.replaceAll("_", " ");
  const { type, optional } = typeOf(field.field_type ?? "str");
  const value = asGiven(field.value);
  if (field.allowed_values?.length) {
    const select = h("select", {}, ...field.allowed_values.map((each) => h("option", {}, String(each))));
    if (value) select.value = value;
    return { element: labelled(label, field.description, select), value: () => select.value };
  }
  if (type === "bool") {
    const box = h("input", { type: "checkbox" });
    box.checked = value === "true";
    return { element: h("label", { class: "tick" }, box, h("span", { class: "name" }, label)), value: () => box.checked };
  }
  const number = type === "int" || type === "float";
  // The API takes nothing at all for no answer, but an empty text for one.
  const required = field.required !== false && !(optional && type === "str");
  const input = h("input", { type: number ? "number" : "text", step: type === "int" ? 1 : "any", value, required, dir: "auto" });
  if (COLLECTION.test(type)) {
    input.placeholder = /^(dict|mapping)/.test(type) ? '{"name": "value"}' : '["one", "two"]';
    input.addEventListener("input", () => input.setCustomValidity(collectionOf(input.value) === undefined ? "This is written as JSON." : ""));
    return { element: labelled(label, field.description, input), value: () => collectionOf(input.value) };
  }
  return { element: labelled(label, field.description, input), value: () => (number ? numberOf(input.value) : input.value) };
}

const OPTIONAL = /^typing\.Optional\[(.*)\]$|^(.*) \| None$/;
const COLLECTION = /^(list|dict|tuple|set|sequence|mapping)\b/;

/**
 * The type of a field, as agno writes Python's: `int`, `typing.List[str]`, `typing.Optional[float]`, `dict[str, int] | None`.
 * @param {string} given
 */
export function typeOf(given) {
  const inner = OPTIONAL.exec(given);
  return { type: (inner?.[1] ?? inner?.[2] ?? given).replace(/^typing\./, "").toLowerCase(), optional: inner !== null };
}

/** @param {unknown} value */
function asGiven(value) {
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/**
 * What is written where a list or an object belongs; null: nothing; undefined: something else.
 * @param {string} text
 * @returns {object | null | undefined}
 */
export function collectionOf(text) {
  if (text.trim() === "") return null;
  try {
    const read = JSON.parse(text);
    return typeof read === "object" && read !== null ? read : undefined;
  } catch {
    return undefined;
  }
}

/**
 * What is written where a number belongs; null: nothing.
 * @param {string} text
 */
export function numberOf(text) {
  return text.trim() === "" ? null : Number(text);
}

/**
 * A line or a text.
 * @param {string} label
 * @param {{placeholder?: string, required?: boolean, long?: boolean, value?: string}} options
 */
export function textField(label, { placeholder = "", required = false, long = false, value = "" }) {
  const input = long ? h("textarea", { rows: 4, required, dir: "auto" }) : h("input", { type: "text", placeholder, required, dir: "auto" });
  input.value = value;
  return { element: labelled(label, null, input), value: () => input.value };
}

/**
 * A question with one answer, or with several.
 * @param {string} question
 * @param {{label: string, description?: string | null}[]} options
 * @param {boolean} several
 */
export function choices(question, options, several) {
  const name = `choice-${(count += 1)}`;
  const boxes = options.map(({ label }) => h("input", { type: several ? "checkbox" : "radio", name, value: label, required: !several }));
  const element = h(
    "fieldset",
    {},
    h("legend", {}, question),
    ...options.map(({ label, description }, index) => h("label", { class: "tick" }, boxes[index], h("span", {}, label, description ? h("small", {}, ` ${description}`) : null))),
  );
  return { element, value: () => boxes.filter((box) => box.checked).map((box) => box.value) };
}

/**
 * A yes or a no, named after what it is about.
 * @param {string} name
 * @param {HTMLElement} item
 */
export function yesOrNo(name, item) {
  const about = item.querySelector("h3")?.textContent ?? "";
  return h("div", { class: "choice", role: "radiogroup", "aria-label": about }, radio(name, "yes", "Approve"), radio(name, "no", "Refuse"));
}

/**
 * @param {string} name
 * @param {string} value
 * @param {string} label
 */
function radio(name, value, label) {
  return h("label", {}, h("input", { type: "radio", name, value, required: true }), label);
}

/**
 * @param {string} label
 * @param {string | null | undefined} description
 * @param {HTMLElement} input
 */
function labelled(label, description, input) {
  return h("label", { class: "field" }, h("span", {}, label), description ? h("small", {}, description) : null, input);
}
