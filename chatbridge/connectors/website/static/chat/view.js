import { createComposer } from "./composer.js";
import { h, icon, iconButton, say } from "./dom.js";
import { createForm } from "./form.js";
import { createList } from "./list.js";
import panelCss from "./panel.css";

/**
 * What the panel looks like: its head, and the form or the conversation. It stands beside the launcher.
 *
 * @param {object} core see conversation.js
 * @param {Record<string, (...about: any[]) => void>} actions
 */
export function createView({ look, settings, page, launcher, open: ask }, actions) {
  const { t } = look;
  const title = settings.title ?? t("chat");
  if (page) document.title = title;
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
  const shut = iconButton("close", t("close"), { class: "shut", onclick: () => ask(false) });
  const head = h(
    "header",
    {},
    h("span", { class: "face" }, icon("chat")),
    h("div", {}, h("h2", {}, title), status),
    mute,
    page ? null : shut,
  );
  const talk = h("div", { class: "talk" }, list.element, notice, composer.element);
  const panel = h(
    "section",
    { "role": "dialog", "aria-label": title, "tabindex": -1, "hidden": true, "onkeydown": escape },
    head,
    form.element,
    talk,
  );
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(panelCss);
  const place = sheet.cssRules[sheet.insertRule(".chat{--top:0px;--height:100%}")].style;
  const shadow = launcher.root.getRootNode();
  shadow.adoptedStyleSheets.push(sheet);
  launcher.root.prepend(panel);

  for (const type of ["dragover", "dragleave", "drop"]) panel.addEventListener(type, drag);
  window.visualViewport?.addEventListener("resize", fit);
  window.visualViewport?.addEventListener("scroll", fit);

  function escape(event) {
    if (event.key === "Escape" && !event.isComposing && !page) ask(false);
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

  function update({ messages, asked, muted, profile, trouble, problem, more, typist }) {
    const wasAsked = !form.element.hidden;
    form.element.hidden = !asked;
    talk.hidden = asked;
    if (asked) form.fill(profile);
    else if (wasAsked && shadow.activeElement) composer.focus();
    say(status, trouble && t(trouble));
    say(notice, problem);
    mute.setAttribute("aria-pressed", String(!muted));
    const focused = shadow.activeElement;
    list.update(messages, { more, typist, greeting: settings.greeting });
    if (focused && !focused.isConnected) panel.focus(); // as the button was that removed its message
  }

  return { open, update, seen: list.seen, isOpen: () => !panel.hidden };
}
