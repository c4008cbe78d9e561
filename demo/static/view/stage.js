// The photo and the map over it. Shows a vector of weights, and glides to the next one.
import { expand, expandMatrix, nearestMatrix, UPSCALE } from '../model/maps.js';
import { paintField } from './elements.js';

const GLIDE = 70; // milliseconds to come two thirds of the way
const NOWHERE = { alpha: null, top: 1, next: null };

export function createStage(element, reduced) {
  const canvas = element.querySelector('.sat-map');
  const photo = element.querySelector('.sat-photo');
  let grid = [14, 14];
  let shown = new Float32Array(196);
  let aimed = NOWHERE; // where the map rests, and what it moves on to
  let target = null; // between the two
  let between = new Float32Array(196);
  let top = 1;
  let targetTop = 1;
  let visible = 0;
  let painted = null; // how visible the canvas is
  let smooth = true;
  const matrices = {};
  let table = null; // of colours
  let stale = true;

  function matrix(cells) {
    const key = cells + (smooth ? 's' : 'c');
    matrices[key] = matrices[key] || (smooth ? expandMatrix : nearestMatrix)(cells, UPSCALE);
    return matrices[key];
  }

  function draw() {
    const [rows, columns] = grid;
    const field = expand(shown, rows, columns, matrix(rows), matrix(columns));
    paintField(canvas, field, columns * UPSCALE, rows * UPSCALE, top, table);
    if (visible !== painted) canvas.style.opacity = visible;
    painted = visible;
    stale = false;
  }

  function mix(blend) {
    const { alpha, next } = aimed;
    target = alpha && next && blend > 0 ? between : alpha;
    targetTop = aimed.top + (next ? blend * (next.top - aimed.top) : 0);
    if (target !== between) return;
    for (let cell = 0; cell < between.length; cell++) between[cell] = alpha[cell] + blend * (next.alpha[cell] - alpha[cell]);
  }

  function distance(wanted) {
    let sum = Math.abs(wanted - visible) + Math.abs(targetTop - top) / (targetTop + top);
    for (let cell = 0; target && cell < shown.length; cell++) sum += Math.abs(target[cell] - shown[cell]);
    return sum;
  }

  return {
    setGrid(size) {
      grid = size;
      shown = new Float32Array(size[0] * size[1]);
      between = new Float32Array(size[0] * size[1]);
      aimed = NOWHERE;
      visible = 0;
      stale = true;
    },
    setPhoto(url, size) {
      element.style.setProperty('--aspect', size[0] / size[1]);
      if (photo.getAttribute('src') !== url) photo.src = url;
    },
    setLook(look, colours) {
      smooth = look.smooth;
      table = colours;
      canvas.classList.toggle('sat-cells', !smooth);
      stale = true;
    },
    // A map (null: none) and the weight at which its scale ends; the same of a ``next`` one that it moves on to.
    aim(map) {
      aimed = map || NOWHERE;
    },
    // One frame; true while it still moves. Near its aim it arrives exactly, so that rest is rest.
    // ``blend``: how much of the next map there is.
    tick(elapsed, blend) {
      mix(blend);
      const wanted = target ? 1 : 0;
      const near = distance(wanted) < 2e-3;
      const share = reduced || near ? 1 : 1 - Math.exp(-elapsed / GLIDE);
      const moved = distance(wanted) > 0;
      for (let cell = 0; target && cell < shown.length; cell++) {
        shown[cell] = share === 1 || visible === 0 ? target[cell] : shown[cell] + share * (target[cell] - shown[cell]);
      }
      top = share === 1 || visible === 0 ? targetTop : top + share * (targetTop - top);
      visible = share === 1 ? wanted : visible + share * (wanted - visible);
      if (moved || stale) draw();
      return distance(wanted) > 0;
    },
    // Row and column of a pointer, or null outside the photo.
    cellAt(event) {
      const box = canvas.getBoundingClientRect();
      const row = Math.floor((grid[0] * (event.clientY - box.top)) / box.height);
      const column = Math.floor((grid[1] * (event.clientX - box.left)) / box.width);
      const inside = row >= 0 && column >= 0 && row < grid[0] && column < grid[1];
      return inside ? { row, column } : null;
    },
  };
}
