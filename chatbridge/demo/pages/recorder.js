import { h, icon } from "/look/dom.js";

const FORMATS = ["audio/ogg;codecs=opus", "audio/webm;codecs=opus", "audio/mp4"];

/**
 * A button that records a voice message: one press begins, the next one sends; the cross throws it away.
 *
 * @param {object} parts
 * @param {import("/look/notices.js").Notices} parts.notices
 * @param {import("/look/i18n.js").Words} parts.words
 * @param {(file: File, seconds: number) => void} parts.onRecorded
 * @returns {HTMLElement | null} null when the browser cannot record
 */
export function createRecorder({ notices, words, onRecorded }) {
  const format = globalThis.MediaRecorder && FORMATS.find((one) => MediaRecorder.isTypeSupported(one));
  if (!format || !navigator.mediaDevices) return null;
  let recorder = null;
  let timer = 0;
  const main = h("button", {
    type: "button",
    class: "button button--icon button--quiet",
    onclick: () => (recorder ? recorder.stop() : begin()),
  });
  const clock = h("span", { class: "recorder__clock", role: "timer" });
  const cancel = h(
    "button",
    {
      "type": "button",
      "class": "button button--icon button--quiet",
      "data-t-label": "look.cancel",
      "onclick": discard,
    },
    icon("close"),
  );
  const element = h(
    "span",
    { class: "recorder", onkeydown: (event) => event.key === "Escape" && discard() },
    cancel,
    clock,
    main,
  );

  async function begin() {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true }).catch(() => null);
    if (!stream) {
      notices.failed(words.t("no_microphone"), words.t("no_microphone_hint"));
      return;
    }
    const pieces = [];
    const began = Date.now();
    recorder = new MediaRecorder(stream, { mimeType: format });
    recorder.addEventListener("dataavailable", (event) => pieces.push(event.data));
    recorder.addEventListener("stop", () => finish(stream, pieces, began));
    recorder.start();
    timer = setInterval(() => tick(began), 200);
    tick(began);
    paint();
  }

  function finish(stream, pieces, began) {
    for (const track of stream.getTracks()) track.stop();
    clearInterval(timer);
    const wanted = recorder !== null;
    recorder = null;
    paint();
    if (!wanted) return;
    const type = format.split(";")[0];
    onRecorded(
      new File(pieces, `voice.${type.split("/")[1]}`, { type }),
      Math.max(1, Math.round((Date.now() - began) / 1000)),
    );
  }

  function discard() {
    const running = recorder;
    recorder = null;
    running?.stop();
  }

  function tick(began) {
    const seconds = Math.floor((Date.now() - began) / 1000);
    clock.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  }

  function paint() {
    element.classList.toggle("recorder--on", recorder !== null);
    cancel.hidden = clock.hidden = recorder === null;
    main.replaceChildren(icon(recorder ? "stop" : "voice"));
    main.dataset.tLabel = recorder ? "send_recording" : "record";
    words.apply(element);
  }

  paint();
  return element;
}
