// The page: what is trained and shown, the controls, the tour. Whatever is drawn follows from the address of a moment:
// method, seed, phase (0: the old digits, 1: the new ones) and step.
"use strict";

const RATE = 0.02, BATCH = 20, EPOCH = 100, STEPS = [3000, 5000], UNITS = 64, LOOK = 50, CLOSER = 0.1, PULL = 0.02;
const METHODS = {
  fine: { name: "fine tuning", about: "all layers train from the first step" },
  gradual: { name: "Gradual Tuning", about: "the head first; a lower layer joins when the error stands still" },
  head: { name: "head only", about: "the layers below stay as they are" },
  pull: { name: "pull to the starting point", about: "fine tuning, and each weight is pulled back to where it began" },
  both: { name: "Gradual Tuning and pull", about: "both together" },
};
const LAYERS = ["layer 1", "layer 2", "new head"];
const still = matchMedia("(prefers-reduced-motion: reduce)");
const $ = (id) => document.getElementById(id);

// ---- data: every random number has an address

const address = (...numbers) => numbers.reduce((hash, n) => (Math.imul(hash ^ n, 0x9e3779b1) >>> 0) ^ (hash >>> 15), 7) >>> 0;

function draw(rng, count, first) {
  const X = matrix(count, SIDE * SIDE), labels = [];
  for (let n = 0; n < count; n++) {
    labels.push(Math.floor(rng() * 5));
    X.data.set(drawDigit(rng, first + labels[n], DRAWN.ways, DRAWN.look), n * X.cols);
  }
  return [X, labels];
}

const once = (make) => { let made = null; return () => (made = made || make()); };
const trained = [0, 5].map((first) => once(() => draw(generator(100 + first), EPOCH * BATCH, first)));
const seen = [0, 5].map((first) => once(() => draw(generator(101 + first), 1000, first))); // never trained on
const some = once(() => rowsOf(trained[0](), [...Array(300).keys()])); // what a new head for the old digits learns from

const rowsOf = ([X, labels], rows) => [take(X, rows), rows.map((row) => labels[row])];

// ---- the run

let method = "fine", seed = 1, phase = 0, at = 0; // at: steps of this phase
let network, anchors, order, mask, errors, joined, curve, probe, snapshots, curves = {}, playing = false, goal = null, dirty = true;

function begin() {
  const rng = generator(address(seed, 9));
  const trunk = [glorot(rng, SIDE * SIDE, UNITS), glorot(rng, UNITS, UNITS)];
  network = { trunk, heads: { old: glorot(rng, UNITS, 5) } };
  phase = at = 0;
  [mask, errors, joined, curve, snapshots, curves] = [[1, 1, 1], [], [], [], [], {}];
  look();
  keep();
}

function beginNew() {
  if (phase === 0) {
    phase = 1;
    network.heads.fresh = glorot(generator(address(seed, 8)), UNITS, 5);
    anchors = network.trunk.map(copyOf);
    snapshots = [];
  } else restore(snapshots[0]);
  at = 0;
  probe = copyOf(network.heads.old);
  mask = { gradual: [0, 0, 1], both: [0, 0, 1], head: [0, 0, 1] }[method] || [1, 1, 1];
  [errors, joined, curve] = [[], [], []];
  look();
  snapshots = [];
  keep();
}

function advance() {
  if (at % EPOCH === 0 || !order) order = shuffled(EPOCH * BATCH, generator(address(seed, phase, Math.floor(at / EPOCH))));
  const [X, labels] = rowsOf(trained[phase](), order.slice((at % EPOCH) * BATCH, (at % EPOCH + 1) * BATCH));
  const alpha = phase && (method === "pull" || method === "both") ? PULL : 0;
  step(network, phase ? "fresh" : "old", X, labels, mask, RATE, alpha, anchors);
  at += 1;
  if (at % LOOK === 0) look();
  if (at % EPOCH === 0) endEpoch();
  dirty = true;
}

function endEpoch() {
  if (phase) {
    errors.push(curve[curve.length - 1].fresh);
    const next = method === "gradual" || method === "both" ? gradualMask(errors, mask, CLOSER) : mask;
    if (next !== mask) joined.push(at);
    mask = next;
  }
  keep();
}

function look() {
  const now = { at, old: error(network, "old", ...seen[0]()) };
  if (phase) [now.fresh, now.probe] = [error(network, "fresh", ...seen[1]()), probeError()];
  curve.push(now);
}

// What a new head would still get: the head that goes on learning the old digits while the layers below stay.
function probeError() {
  const [outputs] = forward(path(network, "old").slice(0, -1), some()[0]);
  const trial = { trunk: [], heads: { probe } };
  for (let i = 0; i < 30; i++) step(trial, "probe", outputs[outputs.length - 1], some()[1], [1], 0.2);
  return error({ ...network, heads: { probe } }, "probe", ...seen[0]());
}

function keep() {
  snapshots.push({ phase, at, network: copyNetwork(network), mask, errors: [...errors], joined: [...joined],
    curve: [...curve], probe: probe && copyOf(probe) });
  if (snapshots.length > 80) snapshots.splice(1, 1); // the first, where the phase began, and the latest stay
}

function restore(moment) {
  ({ phase, at, mask } = moment);
  network = copyNetwork(moment.network);
  [errors, joined, curve] = [[...moment.errors], [...moment.joined], [...moment.curve]];
  probe = moment.probe && copyOf(moment.probe);
  order = null;
  dirty = true;
}

function rewind() {
  while (snapshots.length > 1 && snapshots[snapshots.length - 1].at >= at) snapshots.pop();
  restore(snapshots[snapshots.length - 1]);
}

function choose(name) {
  if (phase && curve.length > 1) curves[method] = { curve, joined };
  method = name;
  delete curves[name];
  if (phase) beginNew();
  dirty = true;
}

// Go to a moment at full speed, in pieces so that the page stays alive; play: show what happens on the way.
const done = () => goal && (phase > goal.phase || (phase === goal.phase && at >= goal.at));

function frame() {
  if (playing) {
    const end = performance.now() + (goal && goal.fast ? 40 : 14);
    let left = goal && goal.fast ? 1000 : Number($("speed").value);
    while (left-- > 0 && playing) {
      if (done() || (phase && at >= STEPS[1])) pause();
      else if (!phase && at >= STEPS[0]) beginNew();
      else advance();
      if (performance.now() > end) break;
    }
  }
  if (dirty && !(still.matches && playing && at % LOOK)) show(); // with reduced motion in larger, rarer steps
  requestAnimationFrame(frame);
}

function play(to = null) {
  goal = to;
  playing = true;
  dirty = true;
}

function pause() {
  playing = false;
  goal = null;
  dirty = true;
  share();
}

function share() {
  history.replaceState(null, "", `#method=${method}&seed=${seed}&phase=${phase}&step=${at}`);
}

// ---- what is shown

let drawnAt = -1;

function show() {
  dirty = false;
  const last = curve[curve.length - 1];
  $("play").textContent = playing ? "Pause" : "Play";
  $("skip").disabled = phase === 1;
  $("rewind").disabled = playing || (snapshots.length < 2 && at === 0);
  $("status").textContent = `${phase ? METHODS[method].name + ": learning 5 to 9" : "Learning 0 to 4"}, step ${at} of ${STEPS[phase]}`;
  $("numbers").textContent = phase
    ? `Old digits: ${last.old.toFixed(1)} % wrong (${curve[0].old.toFixed(1)} before; ${last.probe.toFixed(1)} with a new head). New digits: ${last.fresh.toFixed(1)} %.`
    : `Old digits: ${last.old.toFixed(1)} % wrong.`;
  showMask();
  drawChart();
  if (playing && Math.abs(at - drawnAt) < LOOK && at !== 0) return; // the rest changes slowly
  drawnAt = at;
  showDigits();
  drawFeatures();
  showGradients();
}

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

function canvasOf(id) {
  const canvas = $(id), scale = devicePixelRatio || 1, box = canvas.getBoundingClientRect();
  canvas.width = Math.max(1, Math.round(box.width * scale));
  canvas.height = Math.max(1, Math.round(box.height * scale));
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  return [pen, box.width, box.height];
}

function drawChart() {
  const [pen, width, height] = canvasOf("chart"), left = 52, bottom = height - 34;
  const x = (t) => left + ((width - left - 8) * t) / STEPS[phase];
  const y = (e) => bottom - ((bottom - 10) * Math.sqrt(Math.min(e, 100))) / 10; // a root scale shows small errors
  pen.font = "13px system-ui, sans-serif";
  pen.fillStyle = colour("soft");
  pen.strokeStyle = colour("line");
  pen.textAlign = "right";
  for (const e of [0, 1, 5, 20, 50, 100]) {
    pen.beginPath();
    pen.moveTo(left, y(e));
    pen.lineTo(width - 8, y(e));
    pen.stroke();
    pen.fillText(`${e} %`, left - 6, y(e) + 4);
  }
  pen.textAlign = "center";
  for (let t = 0; t <= STEPS[phase]; t += 1000) pen.fillText(String(t), Math.min(x(t), width - 22), bottom + 16);
  pen.fillText("updates", (left + width) / 2, height - 4);
  const line = (points, key, shade, thick, dash = []) => {
    pen.strokeStyle = colour(shade);
    pen.lineWidth = thick;
    pen.setLineDash(dash);
    pen.beginPath();
    points.forEach((p, i) => pen[i ? "lineTo" : "moveTo"](x(p.at), y(p[key])));
    pen.stroke();
    pen.setLineDash([]);
  };
  const names = [];
  if (phase)
    for (const [name, other] of Object.entries(curves)) {
      line(other.curve, "old", "old", 1);
      line(other.curve, "fresh", "new", 1);
      const end = other.curve[other.curve.length - 1];
      names.push({ text: METHODS[name].name, at: Math.max(x(end.at), left + 4 + pen.measureText(METHODS[name].name).width), y: y(end.old) - 5 });
    }
  if (phase) line([{ at: 0, old: curve[0].old }, { at: STEPS[1], old: curve[0].old }], "old", "old", 1, [2, 4]);
  if (phase) line(curve, "probe", "probe", 2, [6, 4]);
  if (phase) line(curve, "fresh", "new", 2.5);
  line(curve, "old", "old", 2.5);
  pen.textAlign = "right"; // the names of the thin lines, one above the other, legible across lines
  pen.lineWidth = 4;
  pen.strokeStyle = colour("ground");
  pen.fillStyle = colour("soft");
  names.sort((a, b) => b.y - a.y).forEach((each, i) => {
    if (i) each.y = Math.min(each.y, names[i - 1].y - 15);
    pen.strokeText(each.text, each.at, each.y);
    pen.fillText(each.text, each.at, each.y);
  });
  pen.fillStyle = colour("ink");
  pen.textAlign = "center";
  for (const t of joined) pen.fillText("▼", x(t), 12);
  $("chart").setAttribute("aria-label", `Errors against updates. ${$("numbers").textContent}`);
}

function showMask() {
  const names = phase ? LAYERS : ["layer 1", "layer 2", "head"];
  $("mask").innerHTML = names.map((name, i) => `<span class="${mask[i] ? "trains" : ""}">${name}<br>${mask[i] ? "trains" : "frozen"}</span>`).join("");
  $("mask").setAttribute("aria-label", names.map((name, i) => `${name} ${mask[i] ? "trains" : "is frozen"}`).join(", "));
}

const TWELVE = take(seen[0]()[0], [...Array(12).keys()]), THEIRS = seen[0]()[1].slice(0, 12);

function showDigits() {
  const found = answers(network, "old", TWELVE);
  if (!$("digits").children.length)
    THEIRS.forEach((label, n) => {
      const item = document.createElement("li"), canvas = document.createElement("canvas");
      canvas.width = canvas.height = SIDE;
      paint(canvas.getContext("2d"), 0, 0, TWELVE.data.subarray(n * SIDE * SIDE, (n + 1) * SIDE * SIDE), (v) => [255 * v, 255 * v, 255 * v]);
      canvas.setAttribute("aria-hidden", "true");
      item.append(canvas, document.createElement("span"));
      $("digits").append(item);
    });
  [...$("digits").children].forEach((item, n) => {
    item.className = found[n] === THEIRS[n] ? "" : "wrong";
    item.lastChild.textContent = found[n] === THEIRS[n] ? `${THEIRS[n]} ✓` : `${THEIRS[n]} → ${found[n]}`;
  });
}

function paint(pen, left, top, values, shade) {
  const image = pen.createImageData(SIDE, SIDE);
  values.forEach((v, i) => image.data.set([...shade(v), 255], 4 * i));
  pen.putImageData(image, left, top);
}

function drawFeatures() {
  const canvas = $("features"), W = network.trunk[0].W, across = 16, gap = 2;
  canvas.width = across * (SIDE + gap);
  canvas.height = (UNITS / across) * (SIDE + gap);
  const pen = canvas.getContext("2d");
  for (let k = 0; k < UNITS; k++) {
    const w = Array.from({ length: SIDE * SIDE }, (_, d) => W.data[d * UNITS + k]), most = Math.max(...w.map(Math.abs));
    const shade = (v) => (v > 0 ? [255 - 205 * v, 255 - 125 * v, 255] : [255, 255 + 130 * v, 255 + 230 * v]);
    paint(pen, (k % across) * (SIDE + gap), Math.floor(k / across) * (SIDE + gap), w.map((each) => each / most), shade);
  }
}

// ---- the gradient, beside a central difference

const RIGHT = { ...rules };
const BROKEN = {
  none: ["as it should be", {}],
  gate: ["ReLU's gate is forgotten", { gate: (dY) => dY }],
  dZ: ["the loss is summed, not averaged", { dZ: (P, Y) => matrix(P.rows, P.cols, P.data.map((p, i) => p - Y.data[i])) }],
  db: ["only the first example counts for b", { db: (dY) => take(dY, [0]) }],
  dX: ["dX is a tenth too small", { dX: (dY, W) => { const dX = RIGHT.dX(dY, W); return matrix(dX.rows, dX.cols, dX.data.map((each) => 0.9 * each)); } }],
};

function showGradients() {
  const head = phase ? "fresh" : "old", [X, labels] = draw(generator(address(seed, 7)), 5, 5 * phase);
  const links = path(network, head), [, found] = gradients(network, head, X, labels);
  let worst = 0;
  $("gradients").innerHTML = [4, 2, 0].flatMap((link) => ["W", "b"].map((key) => {
    const i = steepest(found[link][key].data);
    const w = links[link][1][key].data, h = 1e-5 * Math.max(1, Math.abs(w[i])), was = w[i];
    const loss = (value) => { w[i] = value; return gradients(network, head, X, labels, links.length - 1)[0]; };
    const measured = (loss(was + h) - loss(was - h)) / (2 * h), ours = found[link][key].data[i];
    w[i] = was;
    const scale = Math.max(Math.abs(measured), Math.abs(ours)), wrong = Math.abs(measured - ours) > 1e-5 * scale + 1e-9;
    worst = Math.max(worst, wrong ? 1 : 0);
    const relative = scale ? Math.abs(measured - ours) / scale : 0;
    return `<tr><td>${key}[${i}] of ${link === 4 ? "the head" : `layer ${link / 2 + 1}`}</td><td>${ours.toPrecision(6)}</td><td>${measured.toPrecision(6)}</td><td class="${wrong ? "wrong" : "right"}">${relative.toExponential(0)}</td></tr>`;
  })).join("");
  $("verdict").className = worst ? "wrong" : "right";
  $("verdict").textContent = worst ? "✗ The gradient is wrong." : "✓ Backprop and measurement agree.";
}

const steepest = (g) => g.reduce((best, each, i) => (Math.abs(each) > Math.abs(g[best]) ? i : best), 0);

// ---- the tour

const TOUR = [
  ["A network that knows nothing. Press Next: it learns the digits 0 to 4. The orange error falls, and the first layer turns from noise into strokes.", () => {}],
  ["It learns 0 to 4. All layers train.", () => { begin(); play({ phase: 0, at: STEPS[0] }); }],
  ["A new head, and 5 to 9: fine tuning trains all layers from the first step. The blue error falls. Watch the orange one: nobody asks any more for the old digits.", () => { toNew("fine"); }],
  ["Gradual Tuning: the head alone at first. When its error stands still, the layer below joins (▼), then the next. The thin lines are fine tuning's.", () => { toNew("gradual"); }],
  ["Fine tuning with a pull: each weight is drawn back to where it stood when the new task began. Compare the thin lines, then try the other methods, another seed, and the broken gradients below.", () => { toNew("pull"); }],
];
let stop = 0;

function toNew(name) {
  if (!phase) while (at < STEPS[0]) advance();
  if (!phase) { method = name; beginNew(); } else choose(name);
  radio();
  play({ phase: 1, at: STEPS[1] });
}

function tour(place) {
  stop = Math.min(Math.max(place, 0), TOUR.length - 1);
  $("tour-text").textContent = TOUR[stop][0];
  $("tour-place").textContent = `${stop + 1} of ${TOUR.length}`;
  $("tour-back").disabled = stop === 0;
  $("tour-next").disabled = stop === TOUR.length - 1;
  TOUR[stop][1]();
}

// ---- the controls

function radio() {
  document.querySelectorAll("input[name=method]").forEach((input) => (input.checked = input.value === method));
}

function choices(id, name, options, chosen, change) {
  $(id).innerHTML = options.map(([key, text, title]) => `<label title="${title || text}"><input type="radio" name="${name}" value="${key}" ${key === chosen ? "checked" : ""}> ${text}</label>`).join("");
  $(id).addEventListener("change", (event) => change(event.target.value));
}

choices("methods", "method", Object.entries(METHODS).map(([key, each]) => [key, each.name, each.about]), method, choose);
choices("rules", "rule", Object.entries(BROKEN).map(([key, [text]]) => [key, text]), "none", (key) => {
  Object.assign(rules, RIGHT, BROKEN[key][1]);
  pause();
  showGradients();
});
$("play").addEventListener("click", () => (playing ? pause() : play()));
$("step").addEventListener("click", () => { pause(); advance(); share(); });
$("rewind").addEventListener("click", () => { pause(); rewind(); share(); });
$("restart").addEventListener("click", () => { pause(); if (phase) choose(method); else begin(); share(); });
$("skip").addEventListener("click", () => play({ phase: 1, at: 0, fast: true }));
$("tour-next").addEventListener("click", () => tour(stop + 1));
$("tour-back").addEventListener("click", () => tour(stop - 1));
$("tour-close").addEventListener("click", () => ($("tour").hidden = true));
$("seed").addEventListener("change", (event) => {
  pause();
  seed = Math.max(1, Math.floor(Number(event.target.value)) || 1);
  begin();
  share();
});
addEventListener("resize", () => (dirty = true));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => (dirty = true));

const asked = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
if (Object.hasOwn(METHODS, asked.method)) method = asked.method;
seed = Math.max(1, Math.floor(Number(asked.seed)) || 1);
$("seed").value = seed;
begin();
radio();
if (asked.step) {
  $("tour").hidden = true;
  const there = { phase: Number(asked.phase) ? 1 : 0, at: Number(asked.step) || 0, fast: true };
  if (there.phase || there.at) play(there);
} else tour(0);
show();
requestAnimationFrame(frame);
