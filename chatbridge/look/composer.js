import { h, iconButton } from "/look/dom.js";
import { menuButton } from "/look/menu.js";

/**
 * The place to write: attachments, text, send. Enter sends, Shift+Enter begins a new line; files may be pasted or dropped.
 *
 * @param {object} options
 * @param {string} options.placeholder key of its words
 * @param {import("/look/menu.js").MenuItem[]} options.attachments
 * @param {Node[]} [options.extras] further buttons, between the text and "send"
 * @param {(text: string) => void} options.onSend
 * @param {(file: File) => void} options.onFile
 * @param {() => void} [options.onInput]
 * @returns {{element: HTMLElement, focus: () => void}}
 */
export function createComposer({ placeholder, attachments, extras = [], onSend, onFile, onInput }) {
  const text = h("textarea", {
    "class": "composer__text",
    "rows": "1",
    "data-t-placeholder": placeholder,
    "data-t-label": placeholder,
    "onkeydown": key,
    "oninput": typed,
    "onpaste": (event) => take(event, event.clipboardData),
  });
  const send = iconButton("send", "look.send", { class: "composer__send", type: "submit", disabled: true });
  const form = h(
    "form",
    {
      class: "composer",
      onsubmit: submit,
      ondragover: (event) => event.preventDefault(),
      ondrop: (event) => take(event, event.dataTransfer),
    },
    menuButton({ icon: "attach", label: "look.attach", items: attachments }),
    text,
    extras,
    send,
  );

  function key(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  }

  function typed() {
    fit();
    if (text.value.trim()) onInput?.();
  }

  function fit() {
    send.disabled = text.value.trim() === "";
    text.style.height = "auto";
    text.style.height = `${text.scrollHeight + 2}px`;
  }

  function submit(event) {
    event.preventDefault();
    const words = text.value.trim();
    if (!words) return;
    text.value = "";
    fit();
    onSend(words);
  }

  function take(event, data) {
    if (data.files.length === 0) return;
    event.preventDefault();
    for (const file of data.files) onFile(file);
  }

  return { element: form, focus: () => text.focus() };
}
