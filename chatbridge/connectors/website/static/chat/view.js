import { palette } from "./colour.js";
import { createComposer } from "./composer.js";
import { h, icon, iconButton } from "./dom.js";
import { createForm } from "./form.js";
import { createList } from "./list.js";
import css from "./chat.css";

/** Keys that a page listens to as its shortcuts are not for it while somebody writes to us. */
const KEYS = ["keydown", "keypress", "keyup"];

/**
 * Everything that can be seen: the launcher, and the panel with the form or the conversation. It lives in a shadow tree, with
 * a style sheet made by script, so a page's own styles and a strict policy of it change nothing.
 *
 * @param {object} look
 * @param {(key: string, values?: object) => string} look.t
 * @param {string} look.language
 * @param {string} look.origin
 * @param {object} settings of the messenger
 * @param {boolean} whole fill the page, without a launcher
 * @param {Record<string, (...about: any[]) => void>} actions
 */
export function createView(look, settings, whole, actions) {
  const { t, language } = look;
  const title = settings.title ?? t("chat");
  if (whole) document.title = title;
  const list = createList(look, actions);
  const composer = createComposer(t, { longest: settings.max_text, ...actions });
  const form = createForm(t, { form: settings.form, consent: settings.consent_url, onDone: actions.onForm });
  const status = h("p", { class: "status", role: "status" });
  const notice = h("p", { class: "notice", role: "alert" });
  const sound = {
    "type": "button",
    "title": t("sound"),
    "aria-label": t("sound"),
    "onclick": actions.onMute,
  };
  const mute = h("button", sound, icon("sound"), icon("silent"));
  const shut = iconButton("close", t("close"), { class: "shut", onclick: () => actions.onOpen(false) });
  const head = h(
    "header",
    {},
    h("span", { class: "face" }, icon("chat")),
    h("div", {}, h("h2", {}, title), status),
    mute,
    whole ? null : shut,
  );
  const talk = h("div", { class: "talk" }, list.element, notice, composer.element);
  const panel = h(
    "section",
    { "role": "dialog", "aria-label": title, "tabindex": -1, "hidden": true, "onkeydown": escape },
    head,
    form.element,
    talk,
  );
  const badge = h("span", { "class": "badge", "aria-hidden": "true" });
  const news = h("span", { class: "unseen", role: "status" });
  const launcher = h(
    "button",
    { type: "button", class: "launcher", onclick: () => actions.onOpen(panel.hidden) },
    icon("chat"),
    icon("close"),
  );
  const root = h(
    "div",
    { class: `chat ${settings.position}${whole ? " whole" : ""}`, lang: language },
    panel,
    !whole && [launcher, badge, news],
  );
  const host = document.createElement("chatbridge-chat");
  const shadow = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  const { accent, on, light, dark } = palette(settings.colour);
  const colours = `.chat{--accent:${accent};--on-accent:${on};--accent-text:${light}}`;
  sheet.replaceSync(`${css}${colours}@media(prefers-color-scheme:dark){.chat{--accent-text:${dark}}}`);
  const place = sheet.cssRules[sheet.insertRule(".chat{--top:0px;--height:100%}")].style;
  shadow.adoptedStyleSheets = [sheet];
  shadow.append(root);
  document.documentElement.append(host); // the body may not be there yet, and some pages replace it

  for (const type of KEYS) root.addEventListener(type, (event) => event.stopPropagation());
  for (const type of ["dragover", "dragleave", "drop"]) panel.addEventListener(type, drag);
  window.visualViewport?.addEventListener("resize", fit);
  window.visualViewport?.addEventListener("scroll", fit);

  function escape(event) {
    if (event.key === "Escape" && !event.isComposing && !whole) actions.onOpen(false);
  }

  function drag(event) {
    event.preventDefault();
    panel.classList.toggle("dropping", event.type === "dragover" && !talk.hidden);
    if (event.type === "drop" && !talk.hidden) actions.onFiles(event.dataTransfer.files);
  }

  /** A phone's keyboard covers the page; what is left of it is ours. */
  function fit() {
    place.setProperty("--top", `${visualViewport.offsetTop}px`);
    place.setProperty("--height", `${visualViewport.height}px`);
  }

  /** The focus goes along: into the panel when it opens, back to the launcher when it closes. */
  function open(now) {
    if (panel.hidden !== now) return;
    panel.hidden = !now;
    if (now) list.toEnd();
    if (!now) launcher.focus();
    else if (matchMedia("(pointer: coarse)").matches) panel.focus();
    else if (talk.hidden) form.focus();
    else composer.focus();
  }

  function update({ state, messages, unread, asked, muted, profile, trouble, problem, more, typist }) {
    root.dataset.state = state;
    const wasAsked = !form.element.hidden;
    form.element.hidden = !asked;
    talk.hidden = asked;
    if (asked) form.fill(profile);
    else if (wasAsked && shadow.activeElement) composer.focus();
    say(status, trouble && t(trouble));
    say(notice, problem);
    say(badge, unread && String(unread));
    say(news, unread && t("unread", { n: unread }));
    mute.setAttribute("aria-pressed", String(!muted));
    launcher.setAttribute(
      "aria-label",
      [t(panel.hidden ? "open" : "close"), news.textContent].filter(Boolean).join(", "),
    );
    launcher.setAttribute("aria-expanded", String(!panel.hidden));
    const focused = shadow.activeElement;
    list.update(messages, { more, typist, greeting: settings.greeting });
    if (focused && !focused.isConnected) panel.focus(); // as the button was that removed its message
  }

  function say(place, text) {
    if (place.textContent !== (text || "")) place.textContent = text || "";
  }

  return { open, update, seen: list.seen, isOpen: () => !panel.hidden };
}
