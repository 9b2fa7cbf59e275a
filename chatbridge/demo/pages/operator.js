import { emptyState } from "/look/dialogs.js";
import { h, icon } from "/look/dom.js";

const PAGE = "chatbridge-sandbox";
const HOST = "chatbridge-demo";
const PATIENCE_MS = 5000;

/**
 * The operator's side: the sandbox's inbox in a frame.
 *
 * @param {object} parts
 * @param {import("/look/i18n.js").Words} parts.words
 * @param {(message: {id: string, client_id: string | null, direction: string}) => void} parts.onSelected
 * @returns {{element: HTMLElement, render: (state: object) => void}}
 */
export function createOperator({ words, onSelected }) {
  const frame = h("iframe", {
    "class": "operator__frame",
    "data-t-label": "operator",
    "referrerpolicy": "origin",
  });
  const own = h(
    "a",
    { class: "button button--quiet button--small", target: "_blank", rel: "noopener" },
    h("span", { "data-t": "own_tab" }),
    icon("out", "icon--s"),
  );
  const waiting = h(
    "div",
    { class: "operator__waiting" },
    h("div", { class: "empty" }, h("span", { class: "spinner" }), h("p", { "data-t": "sandbox_wait" })),
  );
  const missing = emptyState("warning", "no_sandbox", "no_sandbox_hint");
  missing.append(
    h("button", { "type": "button", "class": "button", "data-t": "look.try_again", "onclick": load }),
  );
  missing.classList.add("operator__waiting");
  const element = h(
    "section",
    { "class": "panel operator", "data-t-label": "operator" },
    h(
      "header",
      { class: "panel__head" },
      icon("chat"),
      h("h2", { "data-t": "operator" }),
      h("p", { "class": "panel__about", "data-t": "operator_about" }),
      own,
    ),
    h("div", { class: "operator__body" }, frame, waiting, missing),
  );
  let origin = null;
  let scope = null;
  let timer = 0;

  function show(which) {
    waiting.hidden = which !== "waiting";
    missing.hidden = which !== "missing";
  }

  function load() {
    show("waiting");
    const query = new URLSearchParams({ embed: "1", scope, lang: words.language() });
    frame.src = `${origin}/?${query}`;
    clearTimeout(timer);
    timer = setTimeout(() => show("missing"), PATIENCE_MS);
  }

  function take({ source, origin: from, data }) {
    if (source !== frame.contentWindow || from !== origin || data?.source !== PAGE) return;
    if (data.type === "selected") onSelected(data.message);
    if (data.type !== "ready") return;
    clearTimeout(timer);
    show("frame");
  }

  function render({ config }) {
    if (!config || origin) return;
    origin = `${location.protocol}//${location.hostname}:${config.sandbox_port}`;
    scope = config.scope_id;
    own.href = `${origin}/`;
    load();
  }

  show("waiting");
  window.addEventListener("message", take);
  words.onChange(
    () =>
      origin &&
      frame.contentWindow.postMessage({ source: HOST, type: "language", language: words.language() }, origin),
  );
  return { element, render };
}
