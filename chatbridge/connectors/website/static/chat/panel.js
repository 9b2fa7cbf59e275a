import { fileSize } from "./bodies.js";
import { isAsked } from "./form.js";
import { timeline } from "./timeline.js";
import { createView } from "./view.js";

const TYPING_EVERY_MS = 3_000;

/**
 * What is seen when the chat is open, and what can be done there.
 *
 * @param {object} core see conversation.js
 */
export function createPanel(core) {
  const { look, settings, store, connection, outbox, uploads } = core;
  const view = createView(core, {
    onForm: core.introduce,
    onMute: () => store.change(({ muted }) => ({ muted: !muted })),
    onSend: (text) => write({ text }),
    onButton: (text) => write({ text, button: text }),
    onFiles: attach,
    onInput: type,
    onEarlier: () => connection.send({ type: "history", before: store.get().events[0].position }),
    onScroll: core.mark,
    onAgain: (id) => (uploads.has(id) ? uploads : outbox).again(id),
    onRemove: (id) => (uploads.has(id) ? uploads : outbox).remove(id),
  });
  let problem = "";
  let typedAt = 0;
  let shown = [];

  function update(now) {
    shown = timeline(now, uploads.items(), connection.state() === "ready");
    const asked = isAsked(settings.form, now) && !shown.length;
    view.update({ ...now, messages: shown, asked, problem });
  }

  function write(content) {
    problem = "";
    outbox.add(content);
  }

  function attach(files) {
    const { t, language } = look;
    const limit = settings.max_bytes;
    const big = [...files].find(({ size }) => size > limit);
    problem = big ? t("too_big", { name: big.name, size: fileSize(limit, language) }) : "";
    for (const file of files) if (file.size <= limit) uploads.add(file);
    core.schedule();
  }

  function type() {
    if (Date.now() - typedAt < TYPING_EVERY_MS) return;
    typedAt = Date.now();
    connection.send({ type: "typing" });
  }

  return { open: view.open, isOpen: view.isOpen, update, seen: () => view.seen(shown) };
}
