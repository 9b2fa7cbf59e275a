import { palette } from "./colour.js";
import { h, icon, say } from "./dom.js";
import css from "./chat.css";

/** Keys that a page listens to as its shortcuts are not for it while somebody writes to us. */
const KEYS = ["keydown", "keypress", "keyup"];

/**
 * The launcher, and the place where all of us lives: a shadow tree, with a style sheet made by script, so a page's own styles
 * and a strict policy of it change nothing.
 *
 * @param {object} look
 * @param {(key: string, values?: object) => string} look.t
 * @param {string} look.language
 * @param {object} settings of the messenger
 * @param {boolean} page it is nothing but the chat, without a launcher
 * @param {object} actions
 * @param {() => void} actions.onPress
 * @param {() => void} actions.onNear it may be pressed soon
 */
export function createLauncher({ t, language }, settings, page, { onPress, onNear }) {
  const badge = h("span", { "class": "badge", "aria-hidden": "true" });
  const news = h("span", { class: "unseen", role: "status" });
  const hint = h("p", { class: "hint", role: "alert" });
  const button = h(
    "button",
    { type: "button", class: "launcher", onclick: onPress, onpointerenter: onNear, onfocus: onNear },
    icon("chat"),
    icon("close"),
  );
  const root = h(
    "div",
    { class: `chat ${settings.position}${page ? " whole" : ""}`, lang: language },
    !page && [button, badge, hint, news],
  );
  const host = document.createElement("chatbridge-chat");
  const shadow = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  const { accent, on, light, dark } = palette(settings.colour);
  const colours = `.chat{--accent:${accent};--on-accent:${on};--accent-text:${light}}`;
  sheet.replaceSync(`${css}${colours}@media(prefers-color-scheme:dark){.chat{--accent-text:${dark}}}`);
  shadow.adoptedStyleSheets = [sheet];
  shadow.append(root);
  document.documentElement.append(host); // the body may not be there yet, and some pages replace it

  for (const type of KEYS) root.addEventListener(type, (event) => event.stopPropagation());

  function update({ state, unread, isOpen, isAwaited, isMissing }) {
    root.dataset.state = state;
    say(badge, unread && String(unread));
    say(news, unread && t("unread", { n: unread }));
    say(hint, isMissing && t("missing_panel"));
    const label = [t(isOpen ? "close" : "open"), news.textContent].filter(Boolean).join(", ");
    button.setAttribute("aria-label", label);
    button.setAttribute("aria-expanded", String(isOpen));
    button.setAttribute("aria-busy", String(isAwaited));
  }

  return { root, update, focus: () => button.focus(), remove: () => host.remove() };
}
