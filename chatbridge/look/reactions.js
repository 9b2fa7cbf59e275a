import { h } from "/look/dom.js";
import { menuButton } from "/look/menu.js";

const EMOJI = ["👍", "❤️", "🔥", "😄", "🙏"];

/**
 * @typedef {object} Reaction
 * @property {string} user who reacts, empty where no name is known
 * @property {string} emoji
 * @property {boolean} own from this side of the screen: choosing it again takes it back
 */

/**
 * A button that offers emojis.
 *
 * @param {import("/look/chat.js").ChatMessage} message
 * @param {(message: import("/look/chat.js").ChatMessage, emoji: string) => void} onReact
 * @param {"left" | "right"} align
 * @returns {HTMLElement}
 */
export function reactionMenu(message, onReact, align) {
  return menuButton({
    icon: "react",
    label: "look.react",
    layout: "row",
    align,
    class: "button--quiet bubble__tool",
    items: EMOJI.map((emoji) => ({ label: emoji, text: emoji, run: () => onReact(message, emoji) })),
  });
}

/**
 * The reactions below a bubble, each emoji once; a click joins in, or takes the own one back.
 *
 * @param {import("/look/chat.js").ChatMessage} message
 * @param {import("/look/i18n.js").Words} words
 * @param {(message: import("/look/chat.js").ChatMessage, emoji: string) => void} [onReact]
 * @returns {HTMLElement | null}
 */
export function reactionChips(message, words, onReact) {
  if (message.reactions.length === 0) return null;
  return h(
    "ul",
    { "class": "reactions", "data-t-label": "look.reactions" },
    [...grouped(message.reactions)].map(([emoji, all]) =>
      h(
        "li",
        {},
        h(
          "button",
          {
            "type": "button",
            "class": "reaction",
            "title": names(all, words),
            "aria-pressed": String(all.some((one) => one.own)),
            "disabled": !onReact,
            "onclick": () => onReact(message, emoji),
          },
          emoji,
          all.length > 1 && ` ${all.length}`,
        ),
      ),
    ),
  );
}

function names(all, words) {
  const known = all.map((one) => one.user || (one.own ? words.t("look.you") : ""));
  return known.filter(Boolean).join(", ");
}

function grouped(all) {
  const groups = new Map();
  for (const one of all) groups.set(one.emoji, [...(groups.get(one.emoji) ?? []), one]);
  return groups;
}
