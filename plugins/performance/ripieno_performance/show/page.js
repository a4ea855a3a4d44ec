"use strict";
// Two canvases: `scene` is drawn when the view changes, `marks` (positions) also while the sound plays.
document.documentElement.classList.add("js");

const data = JSON.parse(document.getElementById("data").textContent);
const view = document.getElementById("view");
const scene = document.getElementById("scene");
const marks = document.getElementById("marks");
const values = document.getElementById("values");
const sound = document.getElementById("sound");
const clock = document.getElementById("clock");
const play = document.getElementById("play");
const dark = matchMedia("(prefers-color-scheme: dark)");

const LEFT = 52, RIGHT = 50, RULER = 24, LANE = 54, GAP = 21, OVERVIEW = 38;
const SHORTEST_S = 0.02, NARROWEST = 1.5;
const MOST_TOLD = 12, MOST_IN_FULL = 3;
const THIN = 0.15, THICK = 0.7;
const FLATS = new Set([1, 3, 6, 8, 10]);
const NAMES = ["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"];
const STEPS_S = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600];

// Numbers

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const hertz = (pitch) => 440 * 2 ** ((pitch - 69) / 12);
const minus = (text) => text.replace("-", "−");

function noteName(pitch, cents) {
  const key = Math.floor(pitch + 0.5);
  const name = NAMES[((key % 12) + 12) % 12] + (Math.floor(key / 12) - 1);
  const off = 100 * (pitch - key);
  return cents ? `${name} ${off < 0 ? "−" : "+"}${Math.abs(off).toFixed(1)} ¢` : name;
}

function indexAt(times, time) {
  let low = 0, high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] <= time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function valueAt([times, levels], time) {
  const left = indexAt(times, time);
  if (left < 0) return levels[0];
  if (left >= times.length - 1) return levels[levels.length - 1];
  const part = (time - times[left]) / (times[left + 1] - times[left]);
  return levels[left] + part * (levels[left + 1] - levels[left]);
}

// A note is as thick as it is loud.
function bodyOf(note) {
  if (!note.pitch) return null;
  const line = note.lanes[data.loudness];
  const plain = note.masked.includes("pitch_midi") ? THICK : 0.35;
  if (!line || note.masked.length) return note.pitch[0].map((time, i) => [time, note.pitch[1][i], plain]);
  const times = [...new Set([...note.pitch[0], ...line[0]])].sort((a, b) => a - b);
  return times.map((time) => {
    const part = clamp((valueAt(line, time) - loudness.low) / (loudness.high - loudness.low), 0, 1);
    return [time, valueAt(note.pitch, time), THIN + (THICK - THIN) * part];
  });
}

const notes = data.notes.sort((a, b) => a.onset - b.onset);
const loudness = data.lanes.find((lane) => lane.name === data.loudness);
for (const note of notes) note.body = bodyOf(note);
const shown = { lanes: new Set(data.lanes.map((lane) => lane.name)), streams: new Set(data.streams.keys()), spectrogram: true };
const window_ = { start: 0, end: data.duration_s, low: data.low, high: data.high };
let at = 0;
let pointer = null;
let size = { width: 0, height: 0, roll: 0 };
let theme = {};
let spectrum = null;
let picture = null;

const sounding = (time) => notes.filter((note) => shown.streams.has(note.stream) && note.onset <= time && time < note.offset);

// Places

const xOf = (time) => LEFT + ((time - window_.start) / (window_.end - window_.start)) * (size.width - LEFT - RIGHT);
const timeOf = (x) => window_.start + ((x - LEFT) / (size.width - LEFT - RIGHT)) * (window_.end - window_.start);
const yOf = (pitch) => RULER + ((window_.high - pitch) / (window_.high - window_.low)) * size.roll;
const pitchOf = (y) => window_.high - ((y - RULER) / size.roll) * (window_.high - window_.low);
const lanes = () => data.lanes.filter((lane) => shown.lanes.has(lane.name));
const laneTop = (number) => RULER + size.roll + GAP + number * (LANE + GAP);
const overviewTop = () => laneTop(lanes().length) - 4;

function fit() {
  const ratio = devicePixelRatio || 1;
  size.roll = Math.round(clamp(innerHeight * 0.44, 260, 560));
  size.height = overviewTop() + OVERVIEW;
  view.style.height = `${size.height}px`;
  size.width = view.clientWidth;
  for (const canvas of [scene, marks]) {
    canvas.width = Math.round(size.width * ratio);
    canvas.height = Math.round(size.height * ratio);
    canvas.getContext("2d").setTransform(ratio, 0, 0, ratio, 0, 0);
  }
  draw();
}

// Colours

function dress() {
  const style = getComputedStyle(document.documentElement);
  theme = Object.fromEntries(["card", "ink", "quiet", "line", "well", "row", "accent", "spectrum"].map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
  theme.font = getComputedStyle(document.body).fontFamily;
  theme.hatches = {};
  if (picture) tint();
  draw();
}

const colourOf = (note) => data.styles[note.articulation][dark.matches ? "dark" : "light"];

function hatch(context, colour) {
  if (!theme.hatches[colour]) {
    const tile = new OffscreenCanvas(12, 12);
    const pen = tile.getContext("2d");
    pen.strokeStyle = colour;
    pen.lineWidth = 2;
    for (const shift of [-12, 0, 12]) {
      pen.moveTo(shift - 2, 14);
      pen.lineTo(shift + 14, -2);
    }
    pen.stroke();
    theme.hatches[colour] = context.createPattern(tile, "repeat");
    theme.hatches[colour].setTransform(new DOMMatrix().scale(0.5));
  }
  return theme.hatches[colour];
}

function tint() {
  spectrum = new OffscreenCanvas(picture.width, picture.height);
  const pen = spectrum.getContext("2d");
  pen.drawImage(picture, 0, 0);
  pen.globalCompositeOperation = "source-in";
  pen.fillStyle = theme.spectrum;
  pen.fillRect(0, 0, picture.width, picture.height);
}

// The scene

function draw() {
  const context = scene.getContext("2d");
  context.clearRect(0, 0, size.width, size.height);
  context.font = `11px ${theme.font}`;
  context.textBaseline = "middle";
  drawRows(context);
  lanes().forEach((lane, number) => drawGround(context, laneTop(number)));
  drawRuler(context);
  drawRoll(context);
  lanes().forEach((lane, number) => drawLane(context, lane, laneTop(number)));
  drawOverview(context);
  drawMarks();
}

function within(context, top, height, paint) {
  context.save();
  context.beginPath();
  context.rect(LEFT, top, size.width - LEFT - RIGHT, height);
  context.clip();
  paint();
  context.restore();
}

const semitone = () => size.roll / (window_.high - window_.low);

function drawRows(context) {
  const wide = size.width - LEFT - RIGHT;
  within(context, RULER, size.roll, () => {
    for (let key = Math.floor(window_.low); key <= window_.high + 1; key++) {
      context.fillStyle = theme.row;
      if (FLATS.has(key % 12)) context.fillRect(LEFT, yOf(key + 0.5), wide, semitone());
      context.fillStyle = theme.line;
      if (key % 12 === 0) context.fillRect(LEFT, yOf(key - 0.5), wide, 1);
    }
  });
}

function namedKeys() {
  const high = semitone();
  if (high >= 15) return [...NAMES.keys()];
  if (high >= 11) return [0, 2, 4, 5, 7, 9, 11];
  return high >= 4 ? [0, 4, 7] : [0];
}

function drawRoll(context) {
  within(context, RULER, size.roll, () => {
    if (spectrum && shown.spectrogram) {
      const top = yOf(data.high), left = xOf(0);
      context.globalAlpha = 0.75;
      context.drawImage(spectrum, left, top, xOf(data.spectrogram.duration_s) - left, yOf(data.low) - top);
      context.globalAlpha = 1;
    }
    const seen = notes.filter((note) => shown.streams.has(note.stream) && note.offset > window_.start && note.onset < window_.end);
    for (const note of seen) drawNote(context, note);
    for (const note of seen) if (xOf(note.offset) - xOf(note.onset) >= 5) drawSign(context, note);
    drawWords(context, seen);
  });
  const named = namedKeys();
  for (let key = Math.ceil(window_.low); key <= window_.high; key++) {
    if (!named.includes(key % 12)) continue;
    const y = yOf(key);
    if (y < RULER + 5 || y > RULER + size.roll - 5) continue;
    context.fillStyle = key % 12 === 0 ? theme.ink : theme.quiet;
    context.textAlign = "right";
    context.fillText(noteName(key), LEFT - 9, y);
    context.textAlign = "left";
    context.fillStyle = theme.quiet;
    context.fillText(hertz(key).toFixed(0), size.width - RIGHT + 9, y);
  }
}

function trace(context, [times, levels], yOfLevel) {
  const first = Math.max(0, indexAt(times, window_.start));
  let lastX = -1e9, lastY = -1e9;
  for (let i = first; i < times.length; i++) {
    const x = xOf(times[i]), y = yOfLevel(levels[i]);
    const isLast = i === times.length - 1 || times[i] > window_.end;
    // What would lie on the pixel before is left out.
    if (!isLast && x - lastX < 0.4 && Math.abs(y - lastY) < 0.7) continue;
    if (i === first) context.moveTo(x, y);
    else context.lineTo(x, y);
    [lastX, lastY] = [x, y];
    if (times[i] > window_.end) break;
  }
}

function drawNote(context, note) {
  const colour = colourOf(note);
  context.setLineDash([]);
  if (!note.pitch) {
    context.strokeStyle = colour;
    context.setLineDash([2, 4]);
    context.beginPath();
    context.moveTo(xOf(note.onset), signY(note));
    context.lineTo(xOf(note.offset), signY(note));
    context.stroke();
    context.setLineDash([]);
    return;
  }
  const wide = xOf(note.offset) - xOf(note.onset);
  if (wide < 2) {
    // So small that its colour is all there is to see.
    context.fillStyle = colour;
    context.fillRect(xOf(note.onset), signY(note) - 1, Math.max(wide, 1), 2);
    return;
  }
  const masked = note.masked.includes("pitch_midi");
  context.beginPath();
  trace(context, [note.body.map((point) => point[0]), note.body.map((point) => point[1] + point[2])], yOf);
  for (let i = note.body.length - 1; i >= 0; i--) {
    const [time, pitch, half] = note.body[i];
    if (time >= window_.start - 1 && time <= window_.end + 1) context.lineTo(xOf(time), yOf(pitch - half));
  }
  context.closePath();
  context.globalAlpha = masked ? 0.75 : dark.matches ? 0.34 : 0.28;
  context.fillStyle = masked ? hatch(context, colour) : colour;
  context.fill();
  context.globalAlpha = 1;
  context.lineJoin = context.lineCap = "round";
  for (const [stroke, width] of [[theme.card, 4], [colour, 1.8]]) {
    context.globalAlpha = stroke === colour ? 1 : 0.7;
    context.strokeStyle = stroke;
    context.lineWidth = width;
    context.setLineDash(masked && stroke === colour ? [3, 4] : []);
    context.beginPath();
    trace(context, note.pitch, yOf);
    context.stroke();
  }
  context.setLineDash([]);
  context.globalAlpha = 1;
}

// As in a score: how it is played is said where it changes, and where there is room.
function drawWords(context, seen) {
  const taken = [];
  const said = {};
  const changed = (stream, kind, word) => word && (said[stream] ??= {})[kind] !== word;
  context.font = `600 11px ${theme.font}`;
  context.textAlign = "left";
  context.lineWidth = 3.5;
  context.strokeStyle = theme.card;
  for (const note of seen) {
    const x = xOf(note.onset), y = signY(note);
    const wide = xOf(note.offset) - x;
    const how = [note.articulation, note.mode].filter((word, kind) => changed(note.stream, kind, word)).join(" · ");
    const words = [];
    if (note.pitch && wide > 30) words.push(noteName(valueAt(note.pitch, (note.onset + note.offset) / 2)));
    if (how && wide > 12) words.push(how);
    if (!words.length) continue;
    const text = words.join("  ");
    const left = Math.min(x - 3, size.width - RIGHT - 4 - context.measureText(text).width);
    const box = [left - 1, y - 25, left + context.measureText(text).width + 8, y - 9];
    if (taken.some((other) => box[0] < other[2] && other[0] < box[2] && box[1] < other[3] && other[1] < box[3])) continue;
    taken.push(box);
    if (wide > 12) said[note.stream] = [note.articulation, note.mode];
    context.strokeText(text, left, y - 17);
    context.fillStyle = colourOf(note);
    context.fillText(text, left, y - 17);
  }
  context.font = `11px ${theme.font}`;
}

const signY = (note) => (note.pitch ? yOf(note.pitch[1][0]) : RULER + size.roll - 9);
const signs = Object.fromEntries(Object.entries(data.styles).map(([name, style]) => [name, new Path2D(style.sign)]));

function drawSign(context, note) {
  const style = data.styles[note.articulation];
  context.save();
  context.translate(xOf(note.onset), signY(note));
  const radius = clamp((xOf(note.offset) - xOf(note.onset)) / 6, 2.2, 4.6);
  context.scale(radius, radius);
  context.lineJoin = context.lineCap = "round";
  context.strokeStyle = theme.card;
  context.lineWidth = 0.95;
  context.stroke(signs[note.articulation]);
  context.strokeStyle = context.fillStyle = colourOf(note);
  context.lineWidth = style.solid ? 0.1 : 0.42;
  context.stroke(signs[note.articulation]);
  if (style.solid) context.fill(signs[note.articulation]);
  context.restore();
}

const inLane = (lane, top) => (level) => top + LANE - 4 - clamp((level - lane.low) / (lane.high - lane.low), 0, 1) * (LANE - 8);

function drawGround(context, top) {
  context.fillStyle = theme.row;
  context.beginPath();
  context.roundRect(LEFT, top, size.width - LEFT - RIGHT, LANE, 5);
  context.fill();
}

function drawLane(context, lane, top) {
  const y = inLane(lane, top);
  within(context, top, LANE, () => {
    for (const note of notes) {
      const line = note.lanes[lane.name];
      if (!line || !shown.streams.has(note.stream) || note.offset < window_.start || note.onset > window_.end) continue;
      const masked = note.masked.includes(lane.name), colour = colourOf(note);
      context.beginPath();
      trace(context, line, y);
      context.strokeStyle = colour;
      context.lineWidth = 1.5;
      context.setLineDash(masked ? [3, 4] : []);
      context.stroke();
      context.setLineDash([]);
      context.lineTo(Math.min(xOf(line[0][line[0].length - 1]), size.width), y(lane.base));
      context.lineTo(Math.max(xOf(line[0][0]), 0), y(lane.base));
      context.globalAlpha = masked ? 0.3 : 0.16;
      context.fillStyle = masked ? hatch(context, colour) : colour;
      context.fill();
      context.globalAlpha = 1;
    }
  });
  context.font = `600 11px ${theme.font}`;
  context.fillStyle = theme.quiet;
  context.textAlign = "left";
  context.fillText(lane.title, LEFT + 1, top - 8);
  context.font = `11px ${theme.font}`;
  context.fillStyle = theme.quiet;
  context.textAlign = "right";
  context.fillText(minus(shortly(lane.high)), LEFT - 9, top + 7);
  context.fillText(minus(shortly(lane.low)), LEFT - 9, top + LANE - 6);
  context.textAlign = "left";
  context.fillText(lane.unit, size.width - RIGHT + 9, top + 7);
}

const shortly = (value) => String(Number(value.toPrecision(3)));

function drawRuler(context) {
  const perSecond = (size.width - LEFT - RIGHT) / (window_.end - window_.start);
  const step = STEPS_S.find((seconds) => seconds * perSecond >= 76) ?? 7200;
  const digits = step >= 1 ? 0 : step >= 0.1 ? 1 : step >= 0.01 ? 2 : 3;
  const bottom = overviewTop() - GAP;
  context.textAlign = "center";
  for (let tick = Math.ceil(window_.start / step - 1e-6); tick * step <= window_.end + 1e-9; tick++) {
    const x = xOf(tick * step);
    context.fillStyle = theme.line;
    context.globalAlpha = 0.65;
    context.fillRect(x, RULER, 1, bottom - RULER);
    context.globalAlpha = 1;
    context.fillStyle = theme.quiet;
    context.fillText(timeName(tick * step, digits), x, 10);
  }
  context.textAlign = "right";
  context.fillText("Hz", size.width - 4, 10);
}

function timeName(seconds, digits) {
  if (seconds < 60) return seconds.toFixed(digits);
  return `${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(digits).padStart(digits ? digits + 3 : 2, "0")}`;
}

const overviewX = (time) => LEFT + (time / data.duration_s) * (size.width - LEFT - RIGHT);

function drawOverview(context) {
  const top = overviewTop();
  const y = (pitch) => top + 5 + ((data.high - 4 - pitch) / (data.high - data.low - 6)) * (OVERVIEW - 10);
  context.fillStyle = theme.row;
  context.beginPath();
  context.roundRect(LEFT, top, size.width - LEFT - RIGHT, OVERVIEW, 6);
  context.fill();
  for (const note of notes) {
    if (!note.pitch || !shown.streams.has(note.stream)) continue;
    context.fillStyle = colourOf(note);
    const middle = valueAt(note.pitch, (note.onset + note.offset) / 2);
    context.fillRect(overviewX(note.onset), y(middle) - 1, Math.max(overviewX(note.offset) - overviewX(note.onset) - 0.5, 1), 2);
  }
  const left = overviewX(window_.start), right = overviewX(window_.end);
  context.fillStyle = theme.card;
  context.globalAlpha = 0.72;
  context.fillRect(LEFT, top, left - LEFT, OVERVIEW);
  context.fillRect(right, top, size.width - RIGHT - right, OVERVIEW);
  context.globalAlpha = 1;
  context.strokeStyle = theme.accent;
  context.lineWidth = 1.5;
  context.beginPath();
  context.roundRect(left + 0.75, top + 0.75, Math.max(right - left - 1.5, 3), OVERVIEW - 1.5, 5);
  context.stroke();
}

// Positions

function drawMarks() {
  const context = marks.getContext("2d");
  context.clearRect(0, 0, size.width, size.height);
  const bottom = overviewTop() - GAP;
  if (pointer && pointer.time >= window_.start && pointer.time <= window_.end) {
    context.fillStyle = theme.quiet;
    context.fillRect(xOf(pointer.time) - 0.5, RULER, 1, bottom - RULER);
    drawDots(context, pointer.time);
  }
  context.fillStyle = theme.ink;
  if (at >= window_.start && at <= window_.end) {
    const x = xOf(at);
    context.fillRect(x - 0.75, RULER - 3, 1.5, bottom - RULER + 3);
    context.beginPath();
    context.moveTo(x - 6, RULER - 9);
    context.lineTo(x + 6, RULER - 9);
    context.lineTo(x, RULER - 1);
    context.fill();
  }
  context.fillRect(overviewX(at) - 0.75, overviewTop(), 1.5, OVERVIEW);
}

function drawDots(context, time) {
  const dot = (x, y, colour) => {
    context.beginPath();
    context.arc(x, y, 4, 0, 7);
    context.fillStyle = colour;
    context.fill();
    context.lineWidth = 2;
    context.strokeStyle = theme.card;
    context.stroke();
  };
  for (const note of sounding(time)) {
    const y = note.pitch && yOf(valueAt(note.pitch, time));
    if (note.pitch && y >= RULER && y <= RULER + size.roll) dot(xOf(time), y, colourOf(note));
    lanes().forEach((lane, number) => {
      const line = note.lanes[lane.name];
      if (line) dot(xOf(time), inLane(lane, laneTop(number))(valueAt(line, time)), colourOf(note));
    });
  }
}

function element(name, text = "", kind = "") {
  const made = document.createElement(name);
  made.textContent = text;
  made.className = kind;
  return made;
}

function say(lane, value) {
  const digits = lane.high - lane.low > 20 ? 1 : 3;
  return `${minus(value.toFixed(digits))}${lane.unit ? ` ${lane.unit}` : ""}`;
}

function showValues() {
  values.hidden = !pointer;
  if (!pointer) return;
  const { time, x, y } = pointer;
  const parts = [element("div", `${time.toFixed(3)} s`, "when")];
  const heard = sounding(time);
  for (const note of heard.slice(0, MOST_TOLD)) parts.push(...describe(note, time, heard.length > MOST_IN_FULL));
  if (heard.length > MOST_TOLD) parts.push(element("div", `and ${heard.length - MOST_TOLD} more`, "when"));
  values.replaceChildren(...parts);
  const right = x + 18 + values.offsetWidth > size.width;
  values.style.transform = `translate(${right ? x - 18 - values.offsetWidth : x + 18}px, ${clamp(y - 20, 0, Math.max(0, size.height - values.offsetHeight))}px)`;
}

// Of a chord each note is one line.
function describe(note, time, brief) {
  const head = element("div", "", "name");
  const pitch = note.pitch && valueAt(note.pitch, time);
  head.append(element("span", note.pitch ? noteName(pitch, true) : "no pitch"), element("span", note.pitch ? `${hertz(pitch).toFixed(1)} Hz` : ""));
  if (brief) {
    head.append(element("span", note.lanes[data.loudness] ? say(loudness, valueAt(note.lanes[data.loudness], time)) : ""));
    return [head];
  }
  const how = element("div", [note.articulation, note.mode].filter(Boolean).join(" · "), "how");
  how.style.setProperty("--colour", colourOf(note));
  const list = document.createElement("dl");
  for (const lane of data.lanes) {
    if (!note.lanes[lane.name]) continue;
    const masked = note.masked.includes(lane.name) ? "masked" : "";
    list.append(element("dt", lane.title, masked), element("dd", say(lane, valueAt(note.lanes[lane.name], time)), masked));
  }
  const parts = [head, how, list];
  if (note.masked.length) parts.push(element("div", `masked: ${note.masked.join(", ")}`, "masked"));
  return parts;
}

function spoken(time) {
  const words = sounding(time).map((note) => {
    const pitch = note.pitch ? noteName(valueAt(note.pitch, time), true).replace("¢", "cents") : "no pitch";
    const level = note.lanes[data.loudness] ? `, ${say(loudness, valueAt(note.lanes[data.loudness], time))}` : "";
    return `${pitch}, ${note.articulation}${level}`;
  });
  return `${time.toFixed(3)} s: ${words.join("; ") || "silence"}`;
}

// Moving about

function look(change) {
  const next = { ...window_, ...change };
  const span = clamp(next.end - next.start, Math.min(SHORTEST_S, data.duration_s), data.duration_s);
  window_.start = clamp(next.start, 0, data.duration_s - span);
  window_.end = window_.start + span;
  const height = clamp(next.high - next.low, NARROWEST, data.high - data.low);
  window_.low = clamp(next.low, data.low, data.high - height);
  window_.high = window_.low + height;
  draw();
}

function zoom(factor, time) {
  const span = clamp((window_.end - window_.start) * factor, SHORTEST_S, data.duration_s);
  const part = (time - window_.start) / (window_.end - window_.start);
  look({ start: time - part * span, end: time + (1 - part) * span });
}

function zoomPitch(factor, pitch) {
  const height = clamp((window_.high - window_.low) * factor, NARROWEST, data.high - data.low);
  const part = (pitch - window_.low) / (window_.high - window_.low);
  look({ low: pitch - part * height, high: pitch + (1 - part) * height });
}

function pan(seconds, semitones = 0) {
  look({ start: window_.start + seconds, end: window_.end + seconds, low: window_.low + semitones, high: window_.high + semitones });
}

function seek(time) {
  at = clamp(time, 0, data.duration_s);
  if (sound) sound.currentTime = at;
  const span = window_.end - window_.start;
  if (at < window_.start || at > window_.end) look({ start: at - span / 4, end: at + (3 * span) / 4 });
  told();
  drawMarks();
}

function told() {
  clock.textContent = at.toFixed(3);
  view.setAttribute("aria-valuenow", at.toFixed(3));
  view.setAttribute("aria-valuetext", spoken(at));
}

function step(time) {
  seek(time);
  pointer = { time: at, x: xOf(at), y: RULER + 30 };
  showValues();
  drawMarks();
}

function toggle() {
  if (!sound) return;
  if (!sound.paused) return sound.pause();
  if (at >= data.duration_s - 0.02) seek(0);
  sound.currentTime = at;
  sound.play().catch(() => {});
}

function frame() {
  if (sound.paused) return;
  at = Math.min(sound.currentTime, data.duration_s);
  clock.textContent = at.toFixed(3);
  const span = window_.end - window_.start;
  // The page turns when the position leaves it.
  if (at > window_.end || at < window_.start) look({ start: at - 0.04 * span, end: at + 0.96 * span });
  else drawMarks();
  requestAnimationFrame(frame);
}

sound?.addEventListener("play", () => {
  play.classList.add("playing");
  play.setAttribute("aria-label", "Pause");
  pointer = null;
  showValues();
  requestAnimationFrame(frame);
});
sound?.addEventListener("pause", () => {
  play.classList.remove("playing");
  play.setAttribute("aria-label", "Play");
  told();
});
sound?.addEventListener("error", () => (document.getElementById("broken").hidden = false));
play?.addEventListener("click", toggle);

const middle = () => (at >= window_.start && at <= window_.end ? at : (window_.start + window_.end) / 2);
const whole = () => look({ start: 0, end: data.duration_s, low: data.low, high: data.high });
document.getElementById("in").addEventListener("click", () => zoom(0.6, middle()));
document.getElementById("out").addEventListener("click", () => zoom(1 / 0.6, middle()));
document.getElementById("all").addEventListener("click", whole);

for (const chip of document.querySelectorAll(".chips button")) {
  chip.addEventListener("click", () => {
    const on = chip.getAttribute("aria-pressed") !== "true";
    chip.setAttribute("aria-pressed", on);
    const { lane, stream, layer } = chip.dataset;
    if (layer) shown.spectrogram = on;
    else if (lane !== undefined) shown.lanes[on ? "add" : "delete"](lane);
    else shown.streams[on ? "add" : "delete"](Number(stream));
    fit();
  });
}

view.addEventListener("wheel", (event) => {
  const unit = [1, 16, 400][event.deltaMode];
  const box = view.getBoundingClientRect();
  const across = event.shiftKey && !event.deltaX ? event.deltaY : event.deltaX;
  const isWhole = window_.end - window_.start >= data.duration_s - 1e-9;
  // At the end of zooming out the page scrolls on.
  if (!event.altKey && isWhole && event.deltaY > 0 && Math.abs(event.deltaY) > Math.abs(across)) return;
  event.preventDefault();
  if (Math.abs(across) > Math.abs(event.deltaY) || event.shiftKey) return pan(((across * unit) / (size.width - LEFT - RIGHT)) * (window_.end - window_.start));
  const factor = Math.exp(clamp(event.deltaY * unit, -300, 300) * 0.0022);
  if (event.altKey) zoomPitch(factor, pitchOf(event.clientY - box.top));
  else zoom(factor, timeOf(event.clientX - box.left));
  follow(event);
}, { passive: false });

const touches = new Map();
let drag = null;

function place(event) {
  const box = view.getBoundingClientRect();
  return { x: event.clientX - box.left, y: event.clientY - box.top };
}

function follow(event) {
  const { x, y } = place(event);
  const inside = x >= LEFT && x <= size.width - RIGHT && y < overviewTop();
  pointer = inside ? { time: timeOf(x), x, y } : null;
  showValues();
  drawMarks();
}

view.addEventListener("pointerdown", (event) => {
  if (event.button) return;
  view.setPointerCapture(event.pointerId);
  touches.set(event.pointerId, place(event));
  const { x, y } = place(event);
  drag = { x, y, window: { ...window_ }, moved: false, overview: y >= overviewTop() - 4, pinched: touches.size > 1 };
  if (drag.overview) centre(x);
});

function centre(x) {
  const time = ((x - LEFT) / (size.width - LEFT - RIGHT)) * data.duration_s;
  const half = (window_.end - window_.start) / 2;
  look({ start: time - half, end: time + half });
}

view.addEventListener("pointermove", (event) => {
  if (!drag) return follow(event);
  const before = touches.get(event.pointerId);
  const { x, y } = place(event);
  touches.set(event.pointerId, { x, y });
  if (touches.size === 2 && before) return pinch(event.pointerId, before);
  if (drag.overview) return centre(x);
  drag.moved ||= Math.hypot(x - drag.x, y - drag.y) > 4;
  if (!drag.moved || drag.pinched) return;
  view.classList.add("moving");
  pointer = null;
  showValues();
  const seconds = ((drag.x - x) / (size.width - LEFT - RIGHT)) * (window_.end - window_.start);
  const semitones = event.pointerType === "touch" ? 0 : ((y - drag.y) / size.roll) * (window_.high - window_.low);
  const from = drag.window;
  look({ start: from.start + seconds, end: from.end + seconds, low: from.low + semitones, high: from.high + semitones });
});

function pinch(id, before) {
  const other = [...touches].find(([key]) => key !== id)[1];
  const now = touches.get(id);
  const apart = Math.max(Math.abs(now.x - other.x), 8) / Math.max(Math.abs(before.x - other.x), 8);
  zoom(1 / apart, timeOf((now.x + other.x) / 2));
}

for (const kind of ["pointerup", "pointercancel"]) {
  view.addEventListener(kind, (event) => {
    touches.delete(event.pointerId);
    if (drag && !drag.moved && !drag.overview && !drag.pinched && kind === "pointerup") {
      seek(timeOf(place(event).x));
      follow(event);
    }
    view.classList.remove("moving");
    if (!touches.size) drag = null;
  });
}
view.addEventListener("pointerleave", () => {
  pointer = null;
  showValues();
  drawMarks();
});
view.addEventListener("blur", () => {
  pointer = null;
  showValues();
  drawMarks();
});

view.addEventListener("keydown", (event) => {
  const span = window_.end - window_.start;
  const nudge = span / (event.shiftKey ? 20 : 200);
  const onsets = notes.map((note) => note.onset);
  const keys = {
    ArrowRight: () => step(at + nudge),
    ArrowLeft: () => step(at - nudge),
    ArrowUp: () => pan(0, (window_.high - window_.low) / 10),
    ArrowDown: () => pan(0, (window_.low - window_.high) / 10),
    PageDown: () => step(onsets.find((onset) => onset > at + 1e-4) ?? data.duration_s),
    PageUp: () => step(onsets.findLast((onset) => onset < at - 1e-4) ?? 0),
    Home: () => step(0),
    End: () => step(data.duration_s),
    "+": () => zoom(0.6, middle()),
    "=": () => zoom(0.6, middle()),
    "-": () => zoom(1 / 0.6, middle()),
    0: whole,
    " ": toggle,
  };
  if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  keys[event.key]();
});

if (data.spectrogram) {
  const image = new Image();
  image.onload = () => {
    picture = image;
    tint();
    draw();
  };
  image.src = data.spectrogram.image;
}
dark.addEventListener("change", dress);
new ResizeObserver(() => {
  if (view.clientWidth !== size.width) fit();
}).observe(view);
addEventListener("resize", fit);
dress();
fit();
told();
