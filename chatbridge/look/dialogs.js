import { h, icon, iconButton } from "/look/dom.js";

/**
 * Show a dialog above the page. Esc, the cross and a click beside it close it; it is then removed.
 *
 * @param {string} title
 * @param {Node[]} content
 * @param {import("/look/i18n.js").Words} words
 * @param {string} [extraClass]
 * @returns {HTMLDialogElement}
 */
export function openDialog(title, content, words, extraClass = "") {
  const close = iconButton("close", "look.close", { onclick: () => dialog.close() });
  const head = h("header", { class: "dialog__head" }, h("h2", {}, title), close);
  const panel = h("div", { class: "dialog__panel" }, head, content);
  const dialog = h("dialog", { "class": `dialog ${extraClass}`, "aria-label": title }, panel);
  return shown(dialog, words);
}

/**
 * Show a picture as large as the window allows.
 *
 * @param {string} url
 * @param {string} alt
 * @param {import("/look/i18n.js").Words} words
 */
export function openPicture(url, alt, words) {
  const close = iconButton("close", "look.close", { class: "", onclick: () => dialog.close() });
  const dialog = h("dialog", { "class": "viewer", "aria-label": alt }, h("img", { src: url, alt }), close);
  shown(dialog, words);
}

/**
 * @typedef {object} Field
 * @property {string} name
 * @property {string} label key of its words
 * @property {string} [value]
 * @property {string} [type] of the <input>, "text" by default
 * @property {string} [pattern]
 * @property {Array<[string, string]>} [options] value and text; makes it a <select>
 */

/**
 * Ask for a few values.
 *
 * @param {object} form
 * @param {string} form.title key of its words
 * @param {string} form.submit key of its words
 * @param {Field[]} form.fields all must be filled in
 * @param {import("/look/i18n.js").Words} words
 * @returns {Promise<Record<string, string> | null>} null when the dialog was closed
 */
export function ask({ title, submit, fields }, words) {
  return new Promise((resolve) => {
    const form = h(
      "form",
      { class: "dialog__body", method: "dialog" },
      fields.map(fieldElement),
      h(
        "footer",
        { class: "dialog__foot" },
        h("button", {
          "type": "button",
          "class": "button",
          "data-t": "look.cancel",
          "onclick": () => dialog.close(),
        }),
        h("button", { "type": "submit", "class": "button button--main", "data-t": submit }),
      ),
    );
    let answer = null;
    form.addEventListener("submit", () => {
      answer = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, value.trim()]));
    });
    const dialog = openDialog(words.t(title), [form], words);
    dialog.addEventListener("close", () => resolve(answer));
  });
}

function fieldElement({ name, label, options, value, type = "text", ...rest }) {
  const input = options
    ? h(
        "select",
        { class: "input", name },
        options.map(([key, text]) => h("option", { value: key }, text)),
      )
    : h("input", { class: "input", name, type, value, required: true, autocomplete: "off", ...rest });
  return h("label", { class: "field" }, h("span", { "class": "field__label", "data-t": label }), input);
}

function shown(dialog, words) {
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("pointerdown", (event) => {
    if (event.target === dialog) dialog.close();
  });
  words.apply(dialog);
  document.body.append(dialog);
  dialog.showModal();
  dialog.querySelector("input, select")?.focus();
  return dialog;
}

/**
 * A sentence for a place that has nothing to show yet: what it is, and what to do next.
 *
 * @param {string} drawing
 * @param {string} title key of its words
 * @param {string} hint key of its words
 * @returns {HTMLElement}
 */
export function emptyState(drawing, title, hint) {
  return h(
    "div",
    { class: "empty" },
    icon(drawing),
    h("p", { "class": "empty__title", "data-t": title }),
    h("p", { "data-t": hint }),
  );
}
