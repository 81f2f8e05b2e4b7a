// One tone for right, two low ones for wrong, two middle ones for too many. Off with the button or the account's setting.
const TONES = { good: [[880, 0.09]], wrong: [[196, 0.18], [165, 0.26]], over: [[440, 0.12], [440, 0.12]] };
let context = null;

const isMuted = () => localStorage.getItem("scm.mute") === "yes" || document.body.dataset.sounds === "off";

export function beep(kind) {
  navigator.vibrate?.(kind === "good" ? 30 : [80, 60, 80]);
  if (isMuted() || !TONES[kind] || !window.AudioContext) return;
  context ??= new AudioContext();
  let at = context.currentTime;
  for (const [frequency, seconds] of TONES[kind]) {
    const tone = context.createOscillator();
    const volume = context.createGain();
    tone.frequency.value = frequency;
    volume.gain.value = 0.15;
    tone.connect(volume).connect(context.destination);
    tone.start(at);
    tone.stop(at + seconds);
    at += seconds + 0.06;
  }
}

export function offerMute() {
  const button = document.getElementById("mute");
  if (!button) return;
  const show = () => button.setAttribute("aria-pressed", String(!isMuted()));
  button.addEventListener("click", () => {
    localStorage.setItem("scm.mute", localStorage.getItem("scm.mute") === "yes" ? "no" : "yes");
    show();
    beep("good");
  });
  show();
}
