import { h, iconButton } from "./dom.js";

const MOST_ROWS = 5;

/**
 * The place to write. Enter sends, Shift+Enter begins a new line; files may be chosen or pasted.
 *
 * @param {(key: string) => string} t
 * @param {object} options
 * @param {number} options.longest in characters
 * @param {(text: string) => void} options.onSend
 * @param {(files: FileList) => void} options.onFiles
 * @param {() => void} options.onInput
 */
export function createComposer(t, { longest, onSend, onFiles, onInput }) {
  const label = t("write");
  const text = h("textarea", {
    "rows": 1,
    "maxlength": longest,
    "placeholder": label,
    "aria-label": label,
    "onkeydown": key,
    "oninput": typed,
    "onpaste": paste,
  });
  const files = h("input", { type: "file", multiple: true, hidden: true, onchange: chosen });
  const attach = iconButton("attach", t("attach"), { onclick: () => files.click() });
  const send = iconButton("send", t("send"), { type: "submit", class: "send", disabled: true });
  const element = h("form", { class: "composer", onsubmit: submit }, attach, files, text, send);

  function key(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    element.requestSubmit();
  }

  function typed() {
    fit();
    if (!send.disabled) onInput();
  }

  function fit() {
    send.disabled = text.value.trim() === "";
    text.rows = Math.min(text.value.split("\n").length, MOST_ROWS);
  }

  function submit(event) {
    event.preventDefault();
    const said = text.value.trim();
    if (!said) return;
    text.value = "";
    fit();
    onSend(said);
  }

  function paste(event) {
    if (event.clipboardData.files.length === 0) return;
    event.preventDefault();
    onFiles(event.clipboardData.files);
  }

  function chosen() {
    onFiles(files.files);
    files.value = "";
  }

  return { element, focus: () => text.focus() };
}
