import { emptyState } from "/look/dialogs.js";
import { h, icon } from "/look/dom.js";
import { preciseTime, span, timeElement } from "/look/time.js";
import { createDrawer } from "/pages/drawer.js";
import { failed, logRows } from "/pages/model.js";

const ID = /^[0-9a-f]{8}-[0-9a-f-]{27}/u;
const FILTERS = ["all", "requests", "hooks", "failed"];

/**
 * The drawer "Log": what the sandbox was asked and what it sent, newest first, with bodies on demand.
 *
 * @param {object} parts
 * @param {ReturnType<typeof import("/look/store.js").createStore>} parts.store
 * @param {import("/look/i18n.js").Words} parts.words
 * @param {() => void} parts.onFirstOpen
 * @param {(n: number) => void} parts.onRepeat
 * @returns {ReturnType<typeof createDrawer>}
 */
export function createLog({ store, words, onFirstOpen, onRepeat }) {
  let rows = new Map();
  const filters = h(
    "div",
    { "class": "segments", "role": "group", "data-t-label": "log_filter" },
    FILTERS.map((name) =>
      h("button", {
        "type": "button",
        "data-filter": name,
        "data-t": `filter.${name}`,
        "onclick": () => store.set({ logFilter: name }),
      }),
    ),
  );
  const list = h("ol", { class: "log" });
  const empty = emptyState("log", "no_log", "no_log_hint");
  const drawer = createDrawer({
    name: "log",
    store,
    content: [
      h("div", { class: "drawer__bar" }, filters),
      h("div", { class: "drawer__scroll" }, list, empty),
    ],
  });

  function element(row) {
    const { kind, n } = row;
    const bad = failed(row);
    const title = {
      hook: () => words.t(`hook.${row.hook}`),
      request: () => `${row.method} ${callName(row)}`,
      download: () => `${row.method} ${fileName(row)}`,
    }[kind]();
    const status = h(
      "span",
      { class: `sign ${bad ? "sign--bad" : "sign--good"}` },
      icon(bad ? "warning" : "sent"),
      row.status ?? words.t("no_status"),
    );
    const item = h(
      "li",
      {},
      h(
        "details",
        { class: "log-row" },
        h(
          "summary",
          {},
          icon(kind === "request" ? "in" : "out", "icon--s"),
          h("span", { class: "sr-only" }, words.t(kind)),
          h("span", { class: "log-row__title" }, title),
          status,
          timeElement(row.at, words.language(), preciseTime(row.at)),
        ),
        h(
          "div",
          { class: "log-row__more" },
          row.error && h("p", { class: "log-row__error" }, row.error),
          h("p", { class: "log-row__address" }, row.path ?? row.url),
          kind === "hook" &&
            h(
              "p",
              { class: "log-row__facts" },
              `${row.version} · ${words.t("attempt", { number: row.attempt })} · ${span(row.elapsed_ms, words)}`,
            ),
          row.body_text && h("pre", { tabindex: "0" }, pretty(row.body_text)),
          kind === "hook" &&
            h(
              "button",
              { type: "button", class: "button button--small", onclick: () => onRepeat(n) },
              icon("repeat", "icon--s"),
              words.t("repeat_hook"),
            ),
        ),
      ),
    );
    return item;
  }

  /** Rows never change: each is drawn once per language, so an opened one stays open. */
  function drawn(row) {
    const key = `${row.kind} ${row.n} ${words.language()}`;
    const node = rows.get(key) ?? element(row);
    return [key, node];
  }

  function render(state) {
    drawer.render(state);
    if (state.drawer !== "log") return;
    if (!state.logLoaded) onFirstOpen();
    for (const button of filters.children)
      button.setAttribute("aria-pressed", String(button.dataset.filter === state.logFilter));
    rows = new Map(logRows(state.requests, state.hooks, state.logFilter).map(drawn));
    const nodes = [...rows.values()];
    nodes.forEach((node, index) => {
      if (list.children[index] !== node) list.insertBefore(node, list.children[index] ?? null);
    });
    while (list.children.length > nodes.length) list.lastElementChild.remove();
    empty.hidden = nodes.length > 0 || !state.logLoaded;
  }

  return { ...drawer, render };
}

/** What was called, without the ids: "connect", "chats/history"; the event type where the path has no name. */
function callName({ path, body_text: body }) {
  const [place] = path.replace("/v2/origin/custom/", "").split("?");
  const named = place
    .split("/")
    .filter((part) => !ID.test(part))
    .join("/");
  return named || (/"event_type"\s*:\s*"(\w+)"/u.exec(body)?.[1] ?? path);
}

function fileName({ path }) {
  return decodeURIComponent(path.split("?")[0].split("/").at(-1));
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
