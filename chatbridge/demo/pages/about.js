import { openDialog } from "/look/dialogs.js";
import { h, icon } from "/look/dom.js";

const POINTS = [
  ["phone", "about.phone"],
  ["chat", "about.operator"],
  ["path", "about.path"],
  ["more", "about.bubbles"],
  ["switches", "about.try"],
];

/**
 * A short explanation of what the page shows.
 *
 * @param {import("/look/i18n.js").Words} words
 */
export function openAbout(words) {
  const points = POINTS.map(([drawing, key]) => h("li", {}, icon(drawing), h("p", { "data-t": key })));
  openDialog(
    words.t("about"),
    [
      h(
        "div",
        { class: "dialog__body" },
        h("p", { "data-t": "about.what" }),
        h("ul", { class: "about" }, points),
      ),
    ],
    words,
    "dialog--wide",
  );
}
