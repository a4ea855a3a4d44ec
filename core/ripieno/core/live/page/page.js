// A live run, shown. Times are seconds; `stream` times are those of the run's sound, all others are of this
// device's performance clock. A bar and its beats are counted in beats, as a number that only grows.

const CONTRACT = "slow_state.v1";
const STALE_S = 2; // without a state for longer, nothing is playing
const RETRY_S = { least: 0.5, most: 8 };

const calm = matchMedia("(prefers-reduced-motion: reduce)");
const record = new URLSearchParams(location.search).has("record")
  ? (window.ripieno = { flashes: [], captured: [], rateHz: 0 })
  : null;
const find = (selector) => document.querySelector(selector);
const clockS = () => performance.now() / 1000;
const clamp = (value, least, most) => Math.min(most, Math.max(least, value));

// Another clock, of which readings arrive late by no one knows how much: the one that was least late within
// the last seconds tells how far it is ahead of ours.
class FarClock {
  static WINDOW_S = 8;
  leads = [];

  see(farS, atS = clockS()) {
    const leadS = farS - atS;
    while (this.leads.length && this.leads.at(-1).leadS <= leadS) this.leads.pop();
    this.leads.push({ leadS, atS });
    while (this.leads[0].atS < atS - FarClock.WINDOW_S) this.leads.shift();
  }

  get known() {
    return this.leads.length > 0;
  }

  at(nearS) {
    return nearS + this.leads[0].leadS;
  }
}

// Where the music is: follows the states, goes on by itself between them, and never goes back.
class Beat {
  static FOLLOW_S = 0.06; // how fast it follows what it is told
  static LOST = 0.35; // beats: further off than this it jumps

  state = null; // the latest one
  streamS = 0;
  beats = null; // since some moment; a whole number on each beat
  perBar = 0;
  anchor = null; // the beat `index` has the place `position` in its bar

  get spbS() {
    return this.state.spb_s;
  }

  get phase() {
    return this.beats - Math.floor(this.beats);
  }

  get position() {
    return this.positionOf(Math.floor(this.beats));
  }

  // Move to a stream time; gives the whole number of beats passed.
  advance(streamS, passedS) {
    const told = this.state.phase + (streamS - this.state.t_s) / this.spbS;
    if (this.beats === null) this.beats = told - Math.floor(told);
    const before = Math.floor(this.beats);
    const moved = this.beats + passedS / this.spbS;
    const off = told - moved - Math.round(told - moved);
    const follow = Math.abs(off) > Beat.LOST ? 1 : 1 - Math.exp(-passedS / Beat.FOLLOW_S);
    this.beats = Math.max(this.beats, moved + off * follow);
    this.streamS = streamS;
    return Math.floor(this.beats) - before;
  }

  // Stream time of the beat with this index.
  timeOf(index) {
    return this.streamS + (index - this.beats) * this.spbS;
  }

  place(event) {
    if (!event.position || this.beats === null) return;
    const index = Math.round(this.beats + (event.time_s - this.streamS) / this.spbS);
    this.anchor = { index, position: event.position };
    this.perBar = event.beats_per_bar ?? this.perBar;
  }

  // Place in the bar of the beat with this index, from 1; 0 where it is not known.
  positionOf(index) {
    if (!this.anchor || !this.perBar) return 0;
    const after = this.anchor.position - 1 + index - this.anchor.index;
    return (((after % this.perBar) + this.perBar) % this.perBar) + 1;
  }
}

// The microphone of this device, in blocks, on the clock of an AudioContext.
class Microphone {
  static async open(onBlock) {
    const plain = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    const sound = await navigator.mediaDevices.getUserMedia({ audio: plain });
    const context = new AudioContext({ latencyHint: "interactive" });
    await context.audioWorklet.addModule("/capture.js");
    const options = { channelCount: 1, channelCountMode: "explicit", outputChannelCount: [1] };
    const capture = new AudioWorkletNode(context, "capture", options);
    capture.port.onmessage = ({ data }) => onBlock(data.block, data.frame / context.sampleRate);
    // Only what leads to the destination is run; the worklet gives silence.
    context.createMediaStreamSource(sound).connect(capture).connect(context.destination);
    await context.resume();
    return new Microphone(sound, context);
  }

  clock = new FarClock();
  beginS = null; // audio time of the first sample that was sent

  constructor(sound, context) {
    this.sound = sound;
    this.context = context;
  }

  get rateHz() {
    return this.context.sampleRate;
  }

  get nowS() {
    this.clock.see(this.context.currentTime);
    return this.clock.at(clockS());
  }

  close() {
    for (const track of this.sound.getTracks()) track.stop();
    this.context.close();
  }
}

// The server and what it says; connects again until it is there. `tell` gets the code with which a connection
// closed, or null when one opens.
class Server {
  socket = null;
  was = false; // here before
  waitS = RETRY_S.least;

  constructor(hear, tell) {
    this.hear = hear;
    this.tell = tell;
    this.connect();
  }

  connect() {
    const socket = new WebSocket(`ws://${location.host}/live${location.search}`);
    socket.onopen = () => {
      this.waitS = RETRY_S.least;
      this.was = true;
      this.say({ contract: CONTRACT });
      this.tell(null, "");
    };
    socket.onmessage = ({ data }) => this.hear(JSON.parse(data));
    socket.onclose = ({ code, reason }) => {
      this.tell(code, reason);
      setTimeout(() => this.connect(), this.waitS * 1000);
      this.waitS = Math.min(RETRY_S.most, 2 * this.waitS);
    };
    this.socket = socket;
  }

  get open() {
    return this.socket.readyState === WebSocket.OPEN;
  }

  // Whether seconds of sound wait to be sent.
  get behind() {
    return this.socket.bufferedAmount > 1 << 20;
  }

  say(words) {
    this.socket.send(JSON.stringify(words));
  }

  send(block) {
    this.socket.send(block);
  }
}

// A canvas as large as its place, sharp on any screen.
class Surface {
  constructor(canvas) {
    this.canvas = canvas;
    this.pen = canvas.getContext("2d");
    new ResizeObserver(() => this.fit()).observe(canvas);
    this.fit();
  }

  fit() {
    const { width, height } = this.canvas.getBoundingClientRect();
    const density = window.devicePixelRatio || 1;
    Object.assign(this, { width, height });
    this.canvas.width = Math.round(width * density);
    this.canvas.height = Math.round(height * density);
    this.pen.setTransform(density, 0, 0, density, 0, 0);
  }

  clear() {
    this.pen.clearRect(0, 0, this.width, this.height);
    return this.pen;
  }
}

const colours = {}; // #rrggbb
function readColours() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ["ink", "quiet", "line", "accent", "warm"]) {
    colours[name] = style.getPropertyValue(`--${name}`).trim();
  }
}

// One turn is one bar, the downbeat on top; the disc within swells on each beat and sinks until the next.
function drawDial(surface, { known, phase, position, perBar, strength }) {
  const pen = surface.clear();
  const size = Math.min(surface.width, surface.height);
  const middle = size / 2;
  const width = size * 0.052;
  const radius = middle - width;
  const parts = perBar || 1;
  const gap = parts > 1 ? (1.75 * width) / radius : 0;
  const turn = (2 * Math.PI) / parts;
  const colourOf = (part) => (part === 0 && parts > 1 ? colours.warm : colours.accent);

  const swell = calm.matches ? 0 : (1 - phase) ** 2;
  const glow = pen.createRadialGradient(middle, middle, 0, middle, middle, radius * (0.72 + 0.12 * swell));
  glow.addColorStop(0, colourOf(position - 1));
  glow.addColorStop(0.62, colourOf(position - 1));
  glow.addColorStop(1, `${colourOf(position - 1)}00`);
  pen.globalAlpha = known ? strength * (0.06 + 0.26 * swell) : 0;
  pen.fillStyle = glow;
  pen.fillRect(0, 0, size, size);

  pen.lineCap = "round";
  pen.lineWidth = width;
  const arc = (part, from, to, colour, alpha) => {
    const begin = part * turn - Math.PI / 2 + gap / 2;
    const length = turn - gap;
    pen.globalAlpha = alpha;
    pen.strokeStyle = colour;
    pen.beginPath();
    pen.arc(middle, middle, radius, begin + from * length, begin + to * length);
    pen.stroke();
  };
  for (let part = 0; part < parts; part++) {
    arc(part, 0, 1, colours.line, 1);
    if (part < position - 1) arc(part, 0, 1, colourOf(part), 0.38 * strength);
  }
  if (known) {
    const part = Math.max(0, position - 1);
    arc(part, 0, calm.matches ? 1 : phase, colourOf(part), strength);
  }
  pen.globalAlpha = 1;
}

// The last seconds as they were heard, now, and the beats to come.
const PAST_S = 6;
const AHEAD_S = 2;
function drawHeard(surface, { nowS, heard, beats, next, strength }) {
  const pen = surface.clear();
  const { width, height } = surface;
  const x = (timeS) => ((timeS - nowS + PAST_S) / (PAST_S + AHEAD_S)) * width;
  const base = height - 1;
  const y = (value) => base - value * (height - 26);

  for (const [name, colour] of [["beat", colours.accent], ["downbeat", colours.warm]]) {
    if (heard.length < 2) break;
    const path = new Path2D();
    for (const row of heard) path.lineTo(x(row.timeS), y(row[name]));
    pen.strokeStyle = pen.fillStyle = colour;
    pen.lineWidth = 1.5;
    pen.lineJoin = "round";
    pen.globalAlpha = 0.9;
    pen.stroke(path);
    path.lineTo(x(heard.at(-1).timeS), base);
    path.lineTo(x(heard[0].timeS), base);
    pen.globalAlpha = 0.16;
    pen.fill(path);
  }

  const mark = (timeS, position, alpha) => {
    pen.globalAlpha = alpha;
    pen.fillStyle = position === 1 ? colours.warm : colours.accent;
    pen.beginPath();
    pen.arc(x(timeS), 9, position === 1 ? 5.5 : 3.5, 0, 2 * Math.PI);
    pen.fill();
    pen.globalAlpha = alpha * 0.3;
    pen.fillRect(x(timeS) - 0.5, 18, 1, height - 18);
  };
  for (const { timeS, position } of beats) mark(timeS, position, 0.9);
  for (const { timeS, position } of next) mark(timeS, position, 0.45 * strength);

  pen.globalAlpha = 1;
  pen.fillStyle = colours.line;
  pen.fillRect(0, base, width, 1);
  pen.fillStyle = heard.length ? colours.ink : colours.line;
  pen.fillRect(Math.round(x(nowS)) - 1, 0, 2, height);
}

// What is known of the run.
const far = new FarClock();
let step, beat, heard, beats, metre, hasEvents, ended, lastStateS;
function forget() {
  step = null; // the first one that gives states; others are not shown
  beat = new Beat();
  far.leads = [];
  [heard, beats, metre] = [[], [], {}];
  hasEvents = ended = false;
  lastStateS = -Infinity;
}
forget();

const hear = {
  start({ pipeline, source }) {
    forget();
    say("#pipeline", pipeline);
    say("#trouble", "");
    document.title = `${pipeline} · Ripieno live`;
    find("#microphone").hidden = !source.split("+").includes("ws");
  },
  state(message) {
    step ??= message.step;
    if (message.step !== step) return;
    lastStateS = clockS();
    beat.state = message.beat;
    metre = message.metre;
    const { beat_activation, downbeat_activation } = message;
    heard.push({ timeS: message.beat.t_s, beat: beat_activation, downbeat: downbeat_activation });
    if (!hasEvents) far.see(message.beat.t_s);
  },
  beat(message) {
    if (message.step !== (step ?? message.step)) return;
    // The time of a state lies further back than what it was made from; of an event both are known.
    if (!hasEvents) far.leads = [];
    hasEvents = true;
    far.see(message.known_s);
    beat.place(message);
    beats.push({ timeS: message.time_s, position: message.position });
  },
  error({ message }) {
    say("#trouble", message);
  },
  end() {
    ended = true;
  },
};

function playing() {
  return beat.state !== null && !ended && server.open && clockS() - lastStateS < STALE_S;
}

function streamNowS() {
  return microphone?.beginS != null ? microphone.nowS - microphone.beginS : far.at(clockS());
}

// The microphone.
let microphone = null;
const server = new Server(
  (message) => hear[message.event]?.(message),
  (code, reason) => {
    const refused = code >= 4400;
    if (refused) say("#trouble", reason);
    if (refused && microphone) hush();
    if (code === null && microphone) announce();
  },
);

function announce() {
  microphone.beginS = null;
  server.say({ audio: { rate_hz: microphone.rateHz, channels: 1 } });
}

function send(block, audioS) {
  if (!microphone || !server.open) return;
  if (server.behind) {
    hush();
    say("#trouble", "The run is slower than the sound: the microphone is off.");
    return;
  }
  microphone.beginS ??= audioS;
  server.send(block);
  if (record) record.rateHz = microphone.rateHz;
  record?.captured.push({ audioS, block });
}

async function speak() {
  const button = find("#microphone");
  say("#trouble", "");
  button.disabled = true;
  try {
    microphone = await Microphone.open(send);
  } catch (error) {
    const why = error.name === "NotAllowedError" ? "the browser was not allowed to use it" : error.message;
    say("#trouble", `No microphone: ${why}.`);
    return;
  } finally {
    button.disabled = false;
  }
  sayMicrophone();
  keepAwake();
  if (server.open) announce();
}

function hush() {
  microphone.close();
  microphone = null;
  sayMicrophone();
  if (server.open) server.say({ audio: null });
}

async function keepAwake() {
  try {
    await navigator.wakeLock?.request("screen");
  } catch {
    // A battery that runs low, say: the screen may sleep then.
  }
}

// The words of the page.
function say(selector, text) {
  const element = find(selector);
  if (element.textContent !== text) element.textContent = text;
}

const STATES = {
  connecting: "Connecting",
  waiting: "Waiting for sound",
  playing: "Listening",
  over: "The stream is over",
  lost: "The server is gone; trying again",
};
function stateNow() {
  if (playing()) return "playing";
  if (ended) return "over";
  if (server.open) return "waiting";
  return server.was ? "lost" : "connecting";
}

function sayState() {
  const state = stateNow();
  document.body.dataset.state = state;
  document.body.classList.toggle("fresh", beat.state === null);
  say("#connection", STATES[state]);
}

function sayMicrophone() {
  find("#microphone").classList.toggle("on", microphone !== null);
  say("#microphone", microphone ? "Stop the microphone" : "Use this device’s microphone");
}

function sayTempo() {
  const [whole, tenths] = (60 / beat.spbS).toFixed(1).split(".");
  say("#bpm", whole);
  say("#tenths", `.${tenths}`);
}

function sayBar() {
  const bar = find("#bar");
  if (bar.children.length !== beat.perBar) {
    bar.replaceChildren(...Array.from({ length: beat.perBar }, () => document.createElement("li")));
  }
  [...bar.children].forEach((dot, index) => dot.classList.toggle("on", index === beat.position - 1));
  say("#position", beat.position ? `${beat.position}` : "");
}

function sayMetre() {
  const list = find("#metre ul");
  const names = Object.keys(metre);
  find("#metre").hidden = !names.length;
  if ([...list.children].map((row) => row.dataset.beats).join() !== names.join()) {
    list.replaceChildren(...names.map((name) => Object.assign(document.createElement("li"), { textContent: name })));
    [...list.children].forEach((row, index) => (row.dataset.beats = names[index]));
  }
  const likeliest = Math.max(...Object.values(metre));
  for (const row of list.children) {
    const probability = metre[row.dataset.beats];
    row.style.setProperty("--share", probability.toFixed(3));
    row.classList.toggle("likeliest", probability === likeliest);
    row.setAttribute("aria-label", `${row.dataset.beats}: ${Math.round(100 * probability)} %`);
  }
}

function sayConfidence() {
  const percent = Math.round(100 * beat.state.confidence);
  const meter = find("#confidence [role=meter]");
  meter.setAttribute("aria-valuenow", percent);
  meter.style.setProperty("--share", beat.state.confidence);
  say("#confidence output", `${percent} %`);
}

// For who listens to the page: when the tempo or the bar is another one, and not all the time.
let told = { bpm: 0, perBar: 0, atS: -Infinity };
function tell() {
  const bpm = Math.round(60 / beat.spbS);
  const news = bpm !== told.bpm || beat.perBar !== told.perBar;
  if (!news || beat.state.confidence < 0.5 || clockS() - told.atS < 8) return;
  told = { bpm, perBar: beat.perBar, atS: clockS() };
  say("#said", `${bpm} beats a minute${beat.perBar ? `, ${beat.perBar} beats a bar` : ""}`);
}

// Every frame.
const dial = new Surface(find("#dial canvas"));
const strip = new Surface(find("#heard canvas"));
let lastFrameS = clockS();
let frameS = 1 / 60;
let shown = 0;
function frame() {
  requestAnimationFrame(frame);
  const nowS = clockS();
  const passedS = nowS - lastFrameS;
  lastFrameS = nowS;
  frameS += 0.05 * (clamp(passedS, 0, 0.05) - frameS);
  const live = playing();
  const strength = live ? 0.3 + 0.7 * beat.state.confidence : 0.2;
  shown += (strength - shown) * (1 - Math.exp(-passedS / 0.4));
  // A beat belongs to the frame that is nearest to it, which may begin before it.
  if (live && beat.advance(streamNowS() + frameS / 2, passedS) > 0) flash(passedS);
  const { phase, position } = beat.beats === null ? { phase: 0, position: 0 } : beat;
  drawDial(dial, { known: beat.beats !== null, phase, position, perBar: beat.perBar, strength: shown });
  drawStrip();
}

function flash(passedS) {
  record?.flashes.push({ atS: clockS(), audioS: microphone?.nowS, afterS: passedS });
  sayBar();
  sayTempo();
  tell();
}

function drawStrip() {
  // Who asked for less motion gets a new picture on each beat.
  const onBeatS = () => beat.timeOf(Math.floor(beat.beats));
  const nowS = beat.beats === null ? 0 : calm.matches ? onBeatS() : beat.streamS;
  const old = ({ timeS }) => timeS < nowS - PAST_S - 1;
  while (heard.length && old(heard[0])) heard.shift();
  while (beats.length && old(beats[0])) beats.shift();
  const next = [];
  for (let index = Math.floor(beat.beats ?? 0) + 1; playing() && beat.timeOf(index) < nowS + AHEAD_S; index++) {
    next.push({ timeS: beat.timeOf(index), position: beat.positionOf(index) });
  }
  drawHeard(strip, { nowS, heard, beats, next, strength: shown });
}

setInterval(() => {
  sayState();
  if (!playing()) return;
  sayMetre();
  sayConfidence();
}, 250);

const full = find("#full");
full.hidden = !document.fullscreenEnabled;
full.onclick = () => {
  if (document.fullscreenElement) return document.exitFullscreen();
  keepAwake();
  return document.documentElement.requestFullscreen();
};
find("#microphone").onclick = () => (microphone ? hush() : speak());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", readColours);
readColours();
sayState();
requestAnimationFrame(frame);
