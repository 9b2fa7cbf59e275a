import { webAddress } from "/look/bodies.js";
import { emptyState } from "/look/dialogs.js";
import { h, icon, iconButton, initials } from "/look/dom.js";
import { preview } from "/look/preview.js";
import { clockTime, shortDay, startOfDay, timeElement } from "/look/time.js";
import { personName } from "/pages/model.js";

/**
 * The list of chats: name, last message, its time, how many are unread.
 *
 * @param {object} parts
 * @param {import("/look/i18n.js").Words} parts.words
 * @param {(chatId: string) => void} parts.onOpen
 * @param {() => void} parts.onWriteFirst
 * @param {Node[]} parts.tools further buttons of the head
 * @returns {{element: HTMLElement, render: (state: object) => void}}
 */
export function createChatList({ words, onOpen, onWriteFirst, tools }) {
  const list = h("ul", { class: "chats__list" });
  const empty = emptyState("chat", "no_chats", "no_chats_hint");
  const head = h(
    "header",
    { class: "pane-head" },
    h("h2", { "data-t": "chats" }),
    iconButton("write", "write_first", { onclick: onWriteFirst }),
    tools,
  );
  const element = h("nav", { "class": "chats", "data-t-label": "chats" }, head, list, empty);

  function row(chat, openId) {
    const { person, last_message: last, unread } = chat;
    const name = personName(person, words);
    const line =
      last && preview({ type: last.type, text: last.text ?? "", fileName: last.file_name ?? "" }, words);
    const mine = last?.direction === "out" ? `${words.t("look.you")}: ` : "";
    return h(
      "li",
      {},
      h(
        "button",
        {
          "type": "button",
          "class": "chat-row",
          "data-chat": chat.id,
          "aria-current": chat.id === openId ? "true" : null,
          "onclick": () => onOpen(chat.id),
        },
        avatar(person, name),
        h("span", { class: "chat-row__name" }, name),
        last && chatTime(last.at_ms),
        h("span", { class: "chat-row__last" }, line ? mine + line : words.t("no_messages")),
        unread > 0 &&
          h(
            "span",
            { class: "badge" },
            unread > 99 ? "99+" : unread,
            h("span", { class: "sr-only" }, ` ${words.t("unread", { n: unread })}`),
          ),
      ),
    );
  }

  function chatTime(at) {
    const language = words.language();
    const today = startOfDay(at) === startOfDay(Date.now());
    return timeElement(at, language, today ? clockTime(at, language) : shortDay(at, words));
  }

  function render({ loaded, chats, openId }) {
    const focused = document.activeElement?.dataset?.chat;
    list.replaceChildren(...chats.map((chat) => row(chat, openId)));
    empty.hidden = !loaded || chats.length > 0;
    if (focused) list.querySelector(`[data-chat="${CSS.escape(focused)}"]`)?.focus();
  }

  return { element, render };
}

/**
 * A person's picture, or the first letters of the name.
 *
 * @param {{avatar?: string}} person
 * @param {string} name
 * @returns {HTMLElement}
 */
export function avatar(person, name) {
  const box = h(
    "span",
    { "class": "avatar", "aria-hidden": "true" },
    /[\p{L}]/u.test(name) ? initials(name) : icon("contact"),
  );
  const address = webAddress(person.avatar || null);
  if (!address) return box;
  const letters = [...box.childNodes];
  box.replaceChildren(h("img", { src: address, alt: "", onerror: () => box.replaceChildren(...letters) }));
  return box;
}
