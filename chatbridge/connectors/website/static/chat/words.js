const LANGUAGES = ["en", "ru"];
const FORMS = { en: ["one", "other"], ru: ["one", "few", "many"] };

/** Each entry is English and Russian; forms of a number are divided by "|", in the order of FORMS. */
export const WORDS = {
  again: ["Try again", "Повторить"],
  attach: ["Attach a file", "Прикрепить файл"],
  audio: ["Audio", "Аудио"],
  bad_email: ["An e-mail address looks like name@example.org.", "Адрес почты выглядит как name@example.org."],
  bad_phone: ["A phone number has 7 to 15 digits.", "В номере телефона от 7 до 15 цифр."],
  broken: ["The chat is out of order. We keep trying.", "Чат не работает. Мы пробуем снова."],
  chat: ["Chat", "Чат"],
  close: ["Close the chat", "Закрыть чат"],
  connecting: ["Connecting…", "Подключение…"],
  consent: ["By starting the chat you agree to the", "Начиная чат, вы соглашаетесь на"],
  consent_link: ["processing of your personal data", "обработку персональных данных"],
  contact: ["Contact", "Контакт"],
  earlier: ["Show earlier messages", "Показать предыдущие"],
  email: ["E-mail", "Почта"],
  failed: ["Not sent", "Не отправлено"],
  file: ["File", "Файл"],
  introduce: ["Tell us how to reach you, then we can begin.", "Представьтесь, пожалуйста, и начнём."],
  location: ["Location", "Геопозиция"],
  messages: ["Messages", "Сообщения"],
  missing: ["Please fill this in.", "Заполните, пожалуйста."],
  missing_panel: ["The chat did not open. Please try again.", "Чат не открылся. Попробуйте ещё раз."],
  name: ["Name", "Имя"],
  newest: ["To the newest message", "К новым сообщениям"],
  offline: ["No connection. Your messages are kept.", "Нет связи. Ваши сообщения сохранены."],
  open: ["Open the chat", "Открыть чат"],
  operator: ["Operator", "Оператор"],
  optional: ["optional", "необязательно"],
  phone: ["Phone", "Телефон"],
  picture: ["Picture", "Картинка"],
  remove: ["Remove", "Удалить"],
  send: ["Send", "Отправить"],
  sending: ["Sending", "Отправляется"],
  sent: ["Sent", "Отправлено"],
  skip: ["Skip", "Пропустить"],
  sound: ["Sound", "Звук"],
  start: ["Start the chat", "Начать чат"],
  sticker: ["Sticker", "Стикер"],
  today: ["Today", "Сегодня"],
  too_big: ["“{name}” is larger than {size}.", "«{name}» больше {size}."],
  typing: ["{name} is typing", "{name} печатает"],
  unread: [
    "{n} unread message|{n} unread messages",
    "{n} непрочитанное сообщение|{n} непрочитанных сообщения|{n} непрочитанных сообщений",
  ],
  video: ["Video", "Видео"],
  voice: ["Voice message", "Голосовое сообщение"],
  waiting: ["Waiting for the network", "Ждёт сети"],
  write: ["Write a message…", "Напишите сообщение…"],
  yesterday: ["Yesterday", "Вчера"],
  you: ["You", "Вы"],
};

/**
 * The first of the tags that names a language we speak, else English.
 *
 * @param {Array<string | null | undefined>} tags such as "ru-RU", the most wanted first
 * @returns {"en" | "ru"}
 */
export function chooseLanguage(tags) {
  const codes = tags.map((tag) => tag?.slice(0, 2).toLowerCase());
  return codes.find((code) => LANGUAGES.includes(code)) ?? "en";
}

/**
 * @param {"en" | "ru"} language
 * @returns {(key: string, values?: Record<string, string | number>) => string} words for a key, with `{name}` filled in and
 *   the form for the number `values.n`
 */
export function createWords(language) {
  const plural = new Intl.PluralRules(language);
  return (key, values = {}) => {
    const forms = WORDS[key][LANGUAGES.indexOf(language)].split("|");
    const form = forms.length > 1 ? forms[FORMS[language].indexOf(plural.select(values.n))] : forms[0];
    return form.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  };
}
