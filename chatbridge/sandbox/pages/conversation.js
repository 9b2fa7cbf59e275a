import { createComposer } from "/look/composer.js";
import { quotingItems } from "/look/context_bar.js";
import { ask, emptyState } from "/look/dialogs.js";
import { h, iconButton } from "/look/dom.js";
import { fits, pickFile } from "/look/files.js";
import { createMessageList } from "/look/messages.js";
import { avatar } from "/pages/chats.js";
import { personName } from "/pages/model.js";

const LARGEST_MB = 50;

/**
 * The open conversation: who it is with, the messages, the place to write.
 *
 * @param {object} parts
 * @param {ReturnType<typeof import("/look/store.js").createStore>} parts.store
 * @param {import("/look/i18n.js").Words} parts.words
 * @param {import("/look/notices.js").Notices} parts.notices
 * @param {ReturnType<typeof import("/pages/writing.js").createWriting>} parts.writing
 * @param {(message: import("/look/chat.js").ChatMessage) => void} parts.onSelect
 * @param {(userId: string) => void} parts.onUser another user answers
 * @param {() => void} parts.onBack
 * @returns {{element: HTMLElement, render: (state: object) => void}}
 */
export function createConversation({ store, words, notices, writing, onSelect, onUser, onBack }) {
  const messages = createMessageList({
    words,
    onSelect,
    names: true,
    onRetry: (one) => one.retry(),
    onReact: writing.react,
    actions: (message) => quotingItems(composer.begin, message),
  });
  const composer = createComposer({
    placeholder: "write_here",
    words,
    attachments: attachments(),
    onSend: (text, context) => writing.send({ type: "text", text }, context),
    onFile: send,
    onInput: writing.typing,
  });
  const users = h("select", {
    "class": "input",
    "data-t-label": "answer_as",
    "onchange": () => onUser(users.value),
  });
  const who = h("div", { class: "who" });
  const head = h(
    "header",
    { class: "pane-head" },
    iconButton("back", "to_chats", { class: "button--quiet conversation__back", onclick: onBack }),
    who,
    h("label", { class: "answer-as" }, h("span", { "data-t": "answer_as" }), users),
  );
  const empty = emptyState("chat", "choose_chat", "choose_chat_hint");
  const start = emptyState("chat", "no_chats", "no_chats_hint");
  const element = h(
    "main",
    { class: "conversation", tabindex: "-1" },
    head,
    messages.element,
    composer.element,
    empty,
    start,
  );
  let shownId = null;
  const parts = [head, messages.element, composer.element];

  function attachments() {
    return [
      { icon: "file", label: "attach_file", run: async () => send(await pickFile("")) },
      { icon: "location", label: "look.type.location", run: sendLocation },
      { icon: "contact", label: "look.type.contact", run: sendContact },
    ];
  }

  function send(file) {
    if (file && fits(file, LARGEST_MB, notices, words)) void writing.sendFile(file, composer.takeQuote());
  }

  async function sendLocation() {
    const degrees = { type: "number", step: "any" };
    const values = await ask(
      {
        title: "look.type.location",
        submit: "look.send",
        fields: [
          { name: "lat", label: "latitude", value: "55.75222", min: "-90", max: "90", ...degrees },
          { name: "lon", label: "longitude", value: "37.61556", min: "-180", max: "180", ...degrees },
        ],
      },
      words,
    );
    if (!values) return;
    const location = { lat: Number(values.lat), lon: Number(values.lon) };
    void writing.send({ type: "location", location }, composer.takeQuote());
  }

  async function sendContact() {
    const values = await ask(
      {
        title: "look.type.contact",
        submit: "look.send",
        fields: [
          { name: "name", label: "name" },
          { name: "phone", label: "phone", type: "tel", placeholder: "+79151112233" },
        ],
      },
      words,
    );
    if (values) void writing.send({ type: "contact", contact: values }, composer.takeQuote());
  }

  function renderWho(chat, typing) {
    const name = personName(chat.person, words);
    const about = [chat.person.name && chat.person.phone, chat.source, chat.client_id ?? words.t("not_bound")]
      .filter(Boolean)
      .join(" · ");
    const line = typing
      ? h("p", { class: "typing" }, words.t("typing"))
      : h("p", { class: "who__about", title: about }, about);
    who.replaceChildren(avatar(chat.person, name), h("div", { class: "who__text" }, h("h2", {}, name), line));
  }

  /** The list is made anew only when it has changed: an opened one must not close by itself. */
  function renderUsers(account, userId) {
    const now = account?.users ?? [];
    const same = now.map((one) => one.id).join() === [...users.options].map((one) => one.value).join();
    if (!same) users.replaceChildren(...now.map(({ id, name }) => h("option", { value: id }, name)));
    users.value = userId;
  }

  function render(state) {
    const chat = state.chats.find((one) => one.id === state.openId);
    for (const part of parts) part.hidden = !chat;
    empty.hidden = Boolean(chat) || !state.loaded || state.chats.length === 0;
    start.hidden = !state.loaded || state.chats.length > 0;
    if (!chat) return;
    renderWho(chat, (state.typing[chat.id] ?? 0) > Date.now());
    renderUsers(
      state.accounts.find((one) => one.amojo_id === chat.account_id),
      state.userId,
    );
    if (chat.id !== shownId) {
      messages.reset();
      composer.leave();
    }
    shownId = chat.id;
    messages.update(state.threads[chat.id] ?? [], state.selected);
  }

  return { element, render };
}
