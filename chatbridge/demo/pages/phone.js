import { createComposer } from "/look/composer.js";
import { quotingItems } from "/look/context_bar.js";
import { ask, emptyState } from "/look/dialogs.js";
import { h, icon } from "/look/dom.js";
import { fits, pickFile } from "/look/files.js";
import { menuButton } from "/look/menu.js";
import { createMessageList } from "/look/messages.js";
import { clockTime } from "/look/time.js";
import { createRecorder } from "/demo/pages/recorder.js";

const LARGEST_MB = 20;
const CLOCK_EVERY_MS = 5000;
const SAMPLE_PLACE = { lat: 59.93863, lon: 30.31413 };
const STICKERS = ["hello", "heart", "thanks", "party", "coffee", "question"];

/**
 * The client's phone: a messenger as people know it.
 *
 * @param {object} parts
 * @param {import("/look/i18n.js").Words} parts.words
 * @param {import("/look/notices.js").Notices} parts.notices
 * @param {ReturnType<typeof import("/demo/pages/messenger.js").createMessenger>} parts.messenger
 * @param {(message: import("/look/chat.js").ChatMessage) => void} parts.onSelect
 * @returns {{element: HTMLElement, render: (state: object) => void}}
 */
export function createPhone({ words, notices, messenger, onSelect }) {
  const messages = createMessageList({
    words,
    onSelect,
    onRetry: (one) => one.retry(),
    onReact: messenger.react,
    actions,
  });
  const recorder = createRecorder({
    notices,
    words,
    onRecorded: (file, seconds) => sendFile(file, { type: "voice", seconds }),
  });
  const composer = createComposer({
    placeholder: "write_here",
    words,
    attachments: attachments(),
    extras: [stickers(), recorder].filter(Boolean),
    onSend: say,
    onFile: sendFile,
    onInput: messenger.typing,
  });
  const status = h("p", { class: "phone__status" });
  const more = menuButton({
    icon: "more",
    label: "look.more",
    align: "right",
    items: [{ icon: "block", label: "block", run: () => messenger.block(true) }],
  });
  const blocked = h(
    "div",
    { class: "phone__blocked", role: "status" },
    icon("block"),
    h("p", { "data-t": "blocked" }),
    h("button", {
      "type": "button",
      "class": "button button--small",
      "data-t": "unblock",
      "onclick": () => messenger.block(false),
    }),
  );
  const empty = emptyState("chat", "no_messages", "no_messages_hint");
  const clock = h("span", { "class": "phone__clock", "aria-hidden": "true" });
  const screen = h(
    "div",
    { class: "phone__screen" },
    h(
      "header",
      { class: "phone__head" },
      h("span", { "class": "avatar", "aria-hidden": "true" }, icon("chat")),
      h("div", { class: "phone__who" }, h("h2", { "data-t": "shop" }), status),
      more,
    ),
    h("div", { class: "phone__talk" }, messages.element, empty),
    composer.element,
    blocked,
  );
  const element = h(
    "div",
    { class: "phone" },
    h("div", { "class": "phone__island", "aria-hidden": "true" }),
    clock,
    screen,
  );
  const tick = () => clock.replaceChildren(clockTime(Date.now(), words.language()));
  tick();
  setInterval(tick, CLOCK_EVERY_MS);

  function attachments() {
    const file = (type, drawing, accept) => ({
      icon: drawing,
      label: `look.type.${type}`,
      run: async () => sendFile(await pickFile(accept), { type }),
    });
    return [
      file("picture", "picture", "image/*"),
      file("video", "video", "video/*"),
      file("file", "file", ""),
      file("voice", "voice", "audio/*"),
      file("audio", "audio", "audio/*"),
      {
        icon: "location",
        label: "look.type.location",
        run: () => messenger.send({ type: "location", location: SAMPLE_PLACE }, composer.takeQuote()),
      },
      { icon: "contact", label: "look.type.contact", run: sendContact },
    ];
  }

  function stickers() {
    const sticker = (name) => ({
      label: `sticker.${name}`,
      image: `/demo/pages/stickers/${name}.png`,
      run: () => messenger.sendSticker(`/demo/pages/stickers/${name}.png`, composer.takeQuote()),
    });
    return menuButton({
      icon: "sticker",
      label: "look.type.sticker",
      layout: "pictures",
      align: "right",
      items: STICKERS.map(sticker),
    });
  }

  function actions(message) {
    const edit = {
      icon: "write",
      label: "look.edit",
      run: () => composer.begin({ kind: "edit", message }),
    };
    return [...quotingItems(composer.begin, message), ...(message.own && message.type === "text" ? [edit] : [])];
  }

  /** An edit that was refused may be corrected. */
  async function say(text, context) {
    if (context?.kind !== "edit") return messenger.send({ type: "text", text }, context);
    const { message } = context;
    if (text !== message.text && !(await messenger.edit(message, text)))
      composer.begin({ kind: "edit", message: { ...message, text } });
  }

  function sendFile(file, how) {
    if (file && fits(file, LARGEST_MB, notices, words))
      void messenger.sendFile(file, composer.takeQuote(), how);
  }

  async function sendContact() {
    const contact = await ask(
      {
        title: "look.type.contact",
        submit: "look.send",
        fields: [
          { name: "name", label: "name", value: words.t("sample_name") },
          { name: "phone", label: "phone", type: "tel", value: "+79160000000" },
        ],
      },
      words,
    );
    if (contact) void messenger.send({ type: "contact", contact }, composer.takeQuote());
  }

  function render(state) {
    const typing = state.typingUntil > Date.now();
    status.textContent = words.t(typing ? "typing" : "online");
    status.classList.toggle("typing", typing);
    composer.element.hidden = more.hidden = state.blocked;
    blocked.hidden = !state.blocked;
    empty.hidden = !state.loaded || state.messages.length > 0;
    messages.update(state.messages, state.tracked?.key ?? null);
  }

  return { element, render };
}
