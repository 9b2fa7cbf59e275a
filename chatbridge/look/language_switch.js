import { h } from "/look/dom.js";

/**
 * Two buttons, RU and EN.
 *
 * @param {import("/look/i18n.js").Words} words
 * @returns {HTMLElement}
 */
export function languageSwitch(words) {
  const buttons = [
    ["ru", "Русский"],
    ["en", "English"],
  ].map(([code, name]) =>
    h(
      "button",
      {
        "type": "button",
        "lang": code,
        "aria-label": name,
        "title": name,
        "data-code": code,
        "onclick": () => words.choose(code),
      },
      code.toUpperCase(),
    ),
  );
  const paint = () => {
    for (const button of buttons)
      button.setAttribute("aria-pressed", String(button.dataset.code === words.language()));
  };
  words.onChange(paint);
  paint();
  return h("div", { "class": "segments", "role": "group", "data-t-label": "look.language" }, buttons);
}
