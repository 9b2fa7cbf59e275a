import { bodyOf, face } from "./bodies.js";
import { h, icon, link, webAddress } from "./dom.js";

const MARKS = { sending: "pending", waiting: "pending", sent: "sent", failed: "failed" };

/**
 * Bubbles, each with what stands around it: author, quote, time, mark, reactions, buttons.
 *
 * @param {object} look see bodies.js
 * @param {object} actions
 * @param {(id: string) => void} actions.onAgain
 * @param {(id: string) => void} actions.onRemove
 * @param {(text: string) => void} actions.onButton
 * @returns {(message: import("./timeline.js").Shown, begins: boolean, worded: boolean) => HTMLElement} draws a message;
 *   `begins` if its author did not write the one before, `worded` if its mark is a word too
 */
export function createBubbles(look, actions) {
  const { t, language } = look;
  const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const fullTime = new Intl.DateTimeFormat(language, {
    dateStyle: "full",
    timeStyle: "medium",
    hourCycle: "h23",
  });

  function draw(message, begins, worded) {
    const { id, own, name, state, reactions, kind } = message;
    return h(
      "li",
      {
        "class": `message${own ? " own" : ""}${begins ? " begins" : ""}`,
        "data-id": id,
        "data-kind": kind,
        "data-state": state,
      },
      begins && !own && name && h("p", { class: "author" }, portrait(message), name),
      h("div", { class: "bubble" }, quote(message), bodyOf(message, look), meta(message, worded)),
      reactions.length > 0 &&
        h(
          "p",
          { class: "reactions" },
          reactions.map((emoji) => h("span", {}, emoji)),
        ),
      buttons(message),
      state === "failed" &&
        h(
          "p",
          { class: "failed" },
          small("again", () => actions.onAgain(id)),
          small("remove", () => actions.onRemove(id)),
        ),
    );
  }

  const small = (word, onclick) => h("button", { type: "button", class: "small", onclick }, t(word));

  function portrait({ name, avatar_url: address }) {
    const src = webAddress(address);
    const ours = src && new URL(src).origin === look.origin;
    return face(name, ...(ours ? [h("img", { src, alt: "" })] : []));
  }

  function quote({ quote: said }) {
    if (!said) return null;
    const name = said.own ? t("you") : said.name || t("operator");
    return h("blockquote", {}, h("b", {}, name), said.text || said.file?.name || t(said.kind));
  }

  function meta({ at, state }, worded) {
    const date = new Date(at);
    const time = h("time", { datetime: at, title: fullTime.format(date) }, clock.format(date));
    if (!state) return h("p", { class: "meta" }, time);
    const word = h("span", { class: worded || state !== "sent" ? "" : "unseen" }, t(state));
    return h("p", { class: "meta" }, time, h("span", { class: "mark" }, icon(MARKS[state]), word));
  }

  const buttons = ({ buttons: rows }) =>
    rows?.length > 0 &&
    h(
      "div",
      { class: "buttons" },
      rows.map((row) => h("div", {}, row.map(button))),
    );

  function button({ text, url }) {
    if (url === null)
      return h("button", { type: "button", class: "small", onclick: () => actions.onButton(text) }, text);
    const href = webAddress(url);
    return href ? link(href, { class: "small" }, text) : h("span", { class: "small" }, text);
  }

  return draw;
}
