"use strict";
// What is shown, and where: the data, the part of it that is in view, and the places of times and pitches.
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
