import { createContextBar } from "/look/context_bar.js";
import { h, iconButton } from "/look/dom.js";
import { menuButton } from "/look/menu.js";

/**
 * The place to write: attachments, text, send, and above it the message that is answered, passed on or changed. Enter
 * sends, Shift+Enter begins a new line, Esc leaves what is above; files may be pasted or dropped.
 *
 * @typedef {import("/look/context_bar.js").Context} Context
 *
 * @param {object} options
 * @param {string} options.placeholder key of its words
 * @param {import("/look/i18n.js").Words} options.words
 * @param {import("/look/menu.js").MenuItem[]} options.attachments
 * @param {Node[]} [options.extras] further buttons, between the text and "send"
 * @param {(text: string, context: Context | null) => void} options.onSend
 * @param {(file: File) => void} options.onFile
 * @param {() => void} [options.onInput]
 * @returns {{element: HTMLElement, begin: (context: Context) => void, takeQuote: () => Context | null, leave: () => void}}
 *   `takeQuote` is for what is sent without the text: it returns what is answered or passed on, and ends it; `leave` is
 *   for another conversation: only what is passed on goes there too
 */
export function createComposer({ placeholder, words, attachments, extras = [], onSend, onFile, onInput }) {
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
  const bar = createContextBar({ words, onCancel: cancel });
  const element = h("div", { onkeydown: escape }, bar.element, form);
  let context = null;
  let written = "";

  function key(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  }

  /** What lies above it stays open: the place to write has taken the key. */
  function escape(event) {
    if (event.key !== "Escape" || !context) return;
    event.stopPropagation();
    cancel();
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

  function begin(next) {
    end();
    context = next;
    bar.show(context);
    if (context.kind === "edit") {
      written = text.value;
      text.value = context.message.text;
      fit();
    }
    text.focus();
  }

  /** What was being written before an edit comes back. */
  function end() {
    if (context?.kind === "edit") {
      text.value = written;
      fit();
    }
    context = null;
    bar.show(null);
  }

  function cancel() {
    end();
    text.focus();
  }

  function submit(event) {
    event.preventDefault();
    const said = text.value.trim();
    if (!said) return;
    const about = context;
    if (about?.kind !== "edit") text.value = "";
    end();
    fit();
    onSend(said, about);
  }

  function take(event, data) {
    if (data.files.length === 0) return;
    event.preventDefault();
    for (const file of data.files) onFile(file);
  }

  function takeQuote() {
    if (context?.kind === "edit") return null;
    const taken = context;
    end();
    return taken;
  }

  function leave() {
    if (context?.kind !== "forward") end();
  }

  return { element, begin, takeQuote, leave };
}
