import { h, icon, initials } from "/look/dom.js";
import { openPicture } from "/look/dialogs.js";
import { fileSize } from "/look/files.js";

const LINK = /https?:\/\/[^\s<>"']+/giu;
const LINK_TAIL = /[.,;:!?)\]}»…]+$/u;

const BODIES = {
  text: () => null,
  picture,
  video,
  voice: sound,
  audio: sound,
  file,
  sticker,
  location,
  contact,
};

/**
 * What stands inside a bubble: the body of its type and its text. A type unknown to us is named in a sentence.
 *
 * @param {import("/look/chat.js").ChatMessage} message
 * @param {import("/look/i18n.js").Words} words
 * @returns {Array<Node | null>}
 */
export function bodyOf(message, words) {
  const draw = Object.hasOwn(BODIES, message.type) ? BODIES[message.type] : unknown;
  return [draw(message, words), message.text && h("p", { class: "bubble__text" }, linked(message.text))];
}

/**
 * Text with its http and https addresses made links; everything else stays text.
 *
 * @param {string} text
 * @returns {Array<string | HTMLElement>}
 */
function linked(text) {
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(LINK)) {
    const address = match[0].replace(LINK_TAIL, "");
    if (!webAddress(address)) continue;
    parts.push(text.slice(end, match.index), outside(address, address));
    end = match.index + address.length;
  }
  return [...parts, text.slice(end)];
}

/**
 * The address if a page may open it (http, https, or a file this page holds itself), else null.
 *
 * @param {string | null} address
 * @returns {string | null}
 */
export function webAddress(address) {
  if (!address || !URL.canParse(address, document.baseURI)) return null;
  return ["http:", "https:", "blob:"].includes(new URL(address, document.baseURI).protocol) ? address : null;
}

function outside(address, ...children) {
  return h("a", { href: address, target: "_blank", rel: "noopener noreferrer nofollow" }, ...children);
}

function withFile(message, words, draw) {
  const address = webAddress(message.media);
  return address
    ? draw(address)
    : h("p", { class: "bubble__lost" }, icon("warning", "icon--s"), words.t("look.no_file"));
}

function picture(message, words) {
  const name = message.fileName || words.t("look.type.picture");
  return withFile(message, words, (address) => {
    const small = webAddress(message.thumbnail) ?? address;
    const image = h("img", {
      src: small,
      alt: name,
      class: "picture__image",
      onerror: () => button.replaceWith(lost(address, words)),
    });
    const button = h(
      "button",
      {
        "type": "button",
        "class": "picture",
        "aria-label": `${words.t("look.open_picture")}: ${name}`,
        "onclick": () => openPicture(address, name, words),
      },
      image,
    );
    return button;
  });
}

function sticker(message, words) {
  const alt = words.t("look.type.sticker");
  return withFile(message, words, (address) => {
    const image = h("img", {
      src: address,
      alt,
      class: "sticker",
      onerror: () => image.replaceWith(lost(address, words)),
    });
    return image;
  });
}

function lost(address, words) {
  return h(
    "p",
    { class: "bubble__lost" },
    icon("warning", "icon--s"),
    h("span", {}, words.t("look.lost_file"), " ", outside(address, words.t("look.open"))),
  );
}

function video(message, words) {
  return withFile(message, words, (address) =>
    h("video", {
      "class": "video",
      "src": address,
      "controls": true,
      "preload": "metadata",
      "playsinline": true,
      "aria-label": message.fileName || words.t("look.type.video"),
    }),
  );
}

function sound(message, words) {
  return withFile(message, words, (address) =>
    h(
      "div",
      { class: "sound" },
      h(
        "p",
        { class: "sound__name" },
        icon(message.type, "icon--s"),
        h("span", {}, soundName(message, words)),
        message.duration > 0 && h("span", { class: "sound__length" }, length(message.duration)),
      ),
      h("audio", {
        "src": address,
        "controls": true,
        "preload": "metadata",
        "aria-label": soundName(message, words),
      }),
    ),
  );
}

function soundName({ type, fileName }, words) {
  return (type === "audio" && fileName) || words.t(`look.type.${type}`);
}

function length(seconds) {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

function file(message, words) {
  const name = message.fileName || words.t("look.type.file");
  return withFile(message, words, (address) => {
    const link = outside(
      address,
      h("span", { class: "file__icon" }, icon("file")),
      h(
        "span",
        { class: "file__text" },
        h("span", { class: "file__name" }, name),
        message.fileSize > 0 && h("span", { class: "file__size" }, fileSize(message.fileSize, words)),
      ),
    );
    link.className = "file";
    link.setAttribute("download", "");
    return link;
  });
}

function location({ location: place }, words) {
  if (!place) return h("p", {}, words.t("look.type.location"));
  const degrees = [place.lat, place.lon].map((value) => Number(value).toFixed(5)).join(", ");
  return h(
    "div",
    { class: "place" },
    h("div", { class: "place__ground" }, icon("location")),
    h(
      "p",
      { class: "place__text" },
      h("span", {}, words.t("look.type.location")),
      h("span", { class: "place__degrees" }, degrees),
    ),
  );
}

function contact({ contact: person }, words) {
  const name = person?.name || words.t("look.type.contact");
  return h(
    "div",
    { class: "card" },
    h("span", { "class": "avatar avatar--s", "aria-hidden": "true" }, initials(name)),
    h(
      "p",
      { class: "card__text" },
      h("span", { class: "card__name" }, name),
      h("span", { class: "card__phone" }, person?.phone ?? ""),
    ),
  );
}

function unknown({ type }, words) {
  return h(
    "p",
    { class: "bubble__lost" },
    icon("info", "icon--s"),
    h("span", {}, words.t("look.unknown_type", { type })),
  );
}
