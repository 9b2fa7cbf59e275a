import { h, icon } from "/look/dom.js";
import { preciseTime, timeElement } from "/look/time.js";

const ROWS = 100;

/**
 * What widgets were asked and answered, and what the server told integrations: newest first.
 *
 * @param {import("/look/i18n.js").Words} words
 */
export function createCallLog(words) {
  const list = h("ol", { class: "call-log__list" });
  const element = h(
    "details",
    { class: "call-log", open: true },
    h("summary", { "data-t": "call_log" }),
    h("p", { "class": "call-log__hint", "data-t": "call_log_hint" }),
    list,
  );

  function add(good, from, text) {
    const now = Date.now();
    list.prepend(
      h(
        "li",
        { "class": `call-log__row ${good ? "" : "call-log__row--bad"}`, "data-from": from },
        icon(good ? "sent" : "warning", "icon--s"),
        h("span", { class: "sr-only" }, words.t(good ? "went_well" : "went_wrong")),
        h("code", {}, text),
        timeElement(now, words.language(), preciseTime(now)),
      ),
    );
    while (list.children.length > ROWS) list.lastElementChild.remove();
  }

  return {
    element,
    done: (from, text) => add(true, from, text),
    failed: (from, text) => add(false, from, text),
    notice: ({ kind, status, error }) => add(status === 200, "server", `${kind} hook → ${error ?? status}`),
  };
}
