/** @import {Api} from "../api/api.js" */
import { sentence } from "../api/explain.js";
import { ask } from "./dialogs.js";

const SOURCES = {
  key: "Who deployed this API reads it with “make key”.",
  token: "Who runs this API says where it comes from.",
};
const HEADER_TEXT = /^[\x20-\x7e]*$/;

/**
 * Asks for a key or a token until there is one that a header takes.
 * @param {Api} api
 * @param {string} refusal why the last one was not taken; "": there was none
 */
export async function askForKey(api, refusal) {
  const { auth_mode: mode } = await api.info();
  const what = mode === "jwt" ? "token" : "key";
  for (let reason = refusal; ; ) {
    const given = await ask({
      title: `This API asks for a ${what}`,
      problem: reason ? `The last one was not taken: ${sentence(reason)}` : "",
      text: `${SOURCES[what]} It is kept in this tab until you close it, and sent to this API only.`,
      label: what === "key" ? "Key" : "Token",
      type: "password",
      yes: "Continue",
      closes: false,
    });
    if (given === null) continue; // a browser closes it when Escape is pressed twice
    if (HEADER_TEXT.test(given)) return given;
    reason = "it has letters that no header takes";
  }
}
