const NOTES_HZ = [660, 880];
const NOTE_S = 0.12;

let audio = null;

/** Two soft notes. A browser lets a page sound only after its visitor has done something there. */
export function ring() {
  if (!navigator.userActivation?.hasBeenActive) return;
  audio ??= new AudioContext();
  NOTES_HZ.forEach((frequency, index) => {
    const begin = audio.currentTime + index * NOTE_S;
    const volume = new GainNode(audio, { gain: 0 });
    volume.gain.setTargetAtTime(0.1, begin, 0.01);
    volume.gain.setTargetAtTime(0, begin + NOTE_S / 2, 0.04);
    const note = new OscillatorNode(audio, { frequency });
    note.connect(volume).connect(audio.destination);
    note.start(begin);
    note.stop(begin + 3 * NOTE_S);
  });
}
