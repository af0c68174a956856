// What the twin in JavaScript computes of the cases on standard input, as JSON on standard output.
"use strict";
const twin = require("../../docs/explorable/network.js");
const { drawDigit } = require("../../docs/explorable/digits.js");
const asked = JSON.parse(require("fs").readFileSync(0));
const matrix = ([rows, cols, data]) => twin.matrix(rows, cols, Float64Array.from(data));
const layer = (p) => ({ W: matrix(p.W), b: matrix(p.b) });

// Not in the page, but in many cases: Y = tanh X, dX = dY (1 − Y²).
function tanh(p, X) {
  const Y = twin.matrix(X.rows, X.cols, X.data.map(Math.tanh));
  return [Y, (dY) => [twin.matrix(X.rows, X.cols, dY.data.map((dy, i) => dy * (1 - Y.data[i] * Y.data[i]))), {}]];
}

const layers = { linear: twin.linear, relu: twin.relu, tanh };
const cases = asked.cases.map((each) => {
  const links = each.layers.map((kind, i) => [layers[kind], kind === "linear" ? layer(each.p[i]) : {}]);
  const [outputs, backs] = twin.forward(links, matrix(each.X));
  let [value, dY] = twin.crossEntropy(outputs[outputs.length - 1], each.labels);
  const found = {};
  for (let i = backs.length - 1; i >= 0; i--) {
    let dp;
    [dY, dp] = backs[i](dY);
    for (const key of Object.keys(dp)) found[`${i}/${key}`] = [...dp[key].data];
  }
  for (const { of, key, anchor, alpha } of each.pulls) {
    const [penalty, more] = twin.pull(links[of][1][key], matrix(anchor), alpha);
    value += penalty;
    found[`${of}/${key}`] = found[`${of}/${key}`].map((g, i) => g + more.data[i]);
  }
  return { value, gradients: { ...found, X: [...dY.data] } };
});

const runs = asked.runs.map((run) => {
  const network = { trunk: run.trunk.map(layer), heads: { new: layer(run.head) } };
  const anchors = network.trunk.map(twin.copyOf);
  const values = run.batches.map(([X, labels], i) =>
    twin.step(network, "new", matrix(X), labels, run.masks[i], run.rate, run.alpha, anchors));
  const arrays = [...network.trunk, network.heads.new].map((p) => ({ W: [...p.W.data], b: [...p.b.data] }));
  return { values, arrays, answers: twin.answers(network, "new", matrix(run.batches[0][0])) };
});

const rng = twin.generator(1);
const images = asked.digits.map((digit) => [...drawDigit(rng, digit, asked.drawn.ways, asked.drawn.look)]);
const masks = asked.masks.map(([errors, mask, closer]) => twin.gradualMask(errors, mask, closer));
process.stdout.write(JSON.stringify({ cases, runs, images, masks }));
