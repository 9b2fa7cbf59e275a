import { emptyState } from "/look/dialogs.js";
import { h, icon } from "/look/dom.js";
import { fileSize } from "/look/files.js";
import { preview } from "/look/preview.js";
import { preciseTime, span, timeElement } from "/look/time.js";
import { stations, troubles, wholeTime } from "/demo/pages/model.js";

const ICONS = {
  received: "in",
  recovered: "in",
  stored: "stored",
  copied: "copied",
  not_copied: "warning",
  signed: "signed",
  accepted: "sent",
  delivered: "delivered",
  retry: "repeat",
  marked_delivered: "delivered",
  marked_failed: "warning",
  marked_read: "read",
  parked: "pause",
  released: "repeat",
};
const COPIED = /^(\S+), (\d+) bytes$/u;
const SIGNS = {
  queued: ["sign--accent", "pending"],
  delivered: ["sign--good", "delivered"],
  read: ["sign--good", "read"],
  failed: ["sign--bad", "warning"],
};

/**
 * The way of the chosen message: every step with its time and how long it took, attempts and errors in words.
 *
 * @param {object} parts
 * @param {import("/look/i18n.js").Words} parts.words
 * @param {() => void} parts.onNewest
 * @returns {{element: HTMLElement, render: (state: object) => void}}
 */
export function createPath({ words, onNewest }) {
  const about = h("p", { class: "path__about" });
  const signs = h("div", { "class": "path__signs", "aria-live": "polite" });
  const newest = h(
    "button",
    { type: "button", class: "button button--small", onclick: onNewest },
    icon("down", "icon--s"),
    h("span", { "data-t": "follow_newest" }),
  );
  const head = h(
    "header",
    { class: "panel__head" },
    icon("path"),
    h("h2", { "data-t": "path" }),
    about,
    signs,
    newest,
  );
  const track = h("ol", { class: "path__track" });
  const notes = h("ol", { class: "path__notes" });
  const empty = emptyState("path", "no_path", "no_path_hint");
  const body = h(
    "div",
    { "class": "path__body", "tabindex": "0", "data-t-label": "path" },
    track,
    notes,
    empty,
  );
  const element = h("section", { "class": "panel path", "data-t-label": "path" }, head, body);
  const known = (key, otherwise) => (words.has(key) ? words.t(key) : otherwise);
  let drawn = "";

  /** A few words about a step that was reached; of a copy the kind of file and its size, which the server found out. */
  function captionOf({ step, at, detail }, direction) {
    if (at === null) return "";
    const [, kind, bytes] = (step === "copied" && COPIED.exec(detail)) || [];
    if (kind) return `${kind}, ${fileSize(Number(bytes), words)}`;
    return known(`step.${step}.${direction}`, "");
  }

  function station(one, direction) {
    const { step, kind, at, since, count } = one;
    const name = known(`step.${step}`, step);
    const caption = captionOf(one, direction);
    const face = kind === "now" ? h("span", { class: "spinner" }) : icon(ICONS[step] ?? "step");
    return h(
      "li",
      {
        "class": `station station--${kind}`,
        "data-step": step,
        "aria-current": kind === "now" ? "step" : null,
      },
      since !== null &&
        h("span", { class: "station__since" }, since < 1 ? span(since, words) : `+${span(since, words)}`),
      h("span", { class: "station__face" }, face),
      h("span", { class: "station__name" }, step === "retry" && count > 1 ? `${name} ×${count}` : name),
      at === null
        ? h("span", { class: "station__time" }, words.t(kind === "now" ? "waiting" : "ahead"))
        : timeElement(at, words.language(), preciseTime(at)),
      caption && h("span", { class: "station__caption" }, caption),
    );
  }

  function note({ at, step, attempt, error, detail }) {
    const name = known(`step.${step}`, step);
    const facts = [name, attempt && words.t("attempt", { number: attempt })].filter(Boolean).join(" · ");
    return h(
      "li",
      { class: "path__note" },
      timeElement(Date.parse(at), words.language(), preciseTime(Date.parse(at))),
      h("span", { class: "path__note-name" }, facts),
      error?.code && h("code", {}, error.code),
      error && h("span", {}, known(`error.${error.code}`, "")),
      h("span", {}, error?.detail || reasoned(detail ?? "")),
    );
  }

  /** A failure's reason is a word of the API, followed by what the messenger said. */
  function reasoned(detail) {
    const [reason, ...said] = detail.split(": ");
    return [known(`reason.${reason}`, reason), ...said].join(": ");
  }

  function renderSigns(timeline) {
    const [kind, drawing] = SIGNS[timeline.state] ?? ["", "step"];
    const whole = wholeTime(timeline);
    const word = known(`state.${timeline.state}`, timeline.state);
    signs.replaceChildren(
      h(
        "span",
        { class: "sign path__direction" },
        icon(timeline.direction === "in" ? "in" : "out"),
        words.t(`direction.${timeline.direction}`),
      ),
      h(
        "span",
        { class: `sign ${kind}` },
        icon(drawing),
        word,
        whole === null ? "" : ` · ${span(whole, words)}`,
      ),
    );
  }

  function render({ loaded, messages, tracked, timeline, chosen }) {
    const message = messages.find((one) => one.key === tracked?.key);
    const shown = timeline ?? (message?.own ? untaken(message) : null);
    newest.hidden = chosen === null;
    empty.hidden = !loaded || messages.length > 0 || Boolean(tracked);
    const version = JSON.stringify([shown, message?.text, words.language()]);
    if (version === drawn) return;
    drawn = version;
    about.textContent = message ? preview(message, words) : "";
    signs.hidden = track.hidden = notes.hidden = !shown;
    if (!shown) return;
    renderSigns(shown);
    track.replaceChildren(...stations(shown).map((one) => station(one, shown.direction)));
    notes.replaceChildren(...troubles(shown).map(note));
  }

  return { element, render };
}

/** The way of a message that the server has not taken: just begun, or ended at once. */
function untaken({ state, type, at, problem }) {
  const failure = { step: "marked_failed", at: new Date(at).toISOString(), error: { code: null, detail: problem } };
  return {
    direction: "in",
    type,
    state: state === "failed" ? "failed" : "queued",
    steps: state === "failed" ? [failure] : [],
  };
}
