// The photo: the map over it, and a place on it, which is pointed at and chosen, asked about right there, and ranked by who
// looked there.
import { expand, expandMatrix, nearestMatrix, ranking, regionSize, shareIn, UPSCALE } from '../model/maps.js';
import { askedWords, wordAt } from '../model/state.js';
import { say } from '../model/strings.js';
import { nameOf, percent, sentence, wordName } from '../model/wording.js';
import { make, outline, paintField, press, setText } from './elements.js';

const GLIDE = 70; // milliseconds to come two thirds of the way
const NOWHERE = { alpha: null, top: 1, next: null };
const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
const RANKED = 5;
const FINGERTIP = 1; // cells around the one that is tapped

// The map over the photo. Shows a vector of weights, and glides to the next one.
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

// --- a place on the photo: a cell that is pointed at, or a region of cells, by pointer, touch or keys

const only = (cell) => [cell.row, cell.column, cell.row, cell.column];

// Both, and all between them.
function span(one, other) {
  return [
    Math.min(one.row, other.row), Math.min(one.column, other.column),
    Math.max(one.row, other.row), Math.max(one.column, other.column)];
}

// ``frame``: holds a stage, its marks and its chips. ``ask``: sends a question of this kind; null where nobody answers.
export function createRegionPicker(frame, store, stage, ask) {
  const photo = frame.querySelector('.sat-stage');
  const cursor = frame.querySelector('.sat-cursor');
  const chosen = frame.querySelector('.sat-region');
  let from = null; // the cell that stays while a drag goes on
  let before = null; // the region that was chosen when it began
  let keyed = false;

  const choose = (region) => store.set(region ? { region } : { region, ranked: false });
  const point = (cell) => store.set({ pointed: cell && { ...cell, keyed } });
  const isReady = () => store.get().words.length > 0;

  function move([down, right], extend) {
    const { pointed, data } = store.get();
    const [rows, columns] = data.grid;
    const at = pointed || { row: Math.floor(rows / 2), column: Math.floor(columns / 2) };
    const row = Math.min(Math.max(at.row + down, 0), rows - 1);
    const column = Math.min(Math.max(at.column + right, 0), columns - 1);
    from = extend ? from || at : null;
    point({ row, column });
    if (from) choose(span(from, { row, column }));
  }

  photo.setAttribute('aria-label', say('stageLabel'));
  photo.addEventListener('focus', () => (keyed = photo.matches(':focus-visible')));
  photo.addEventListener('blur', () => {
    keyed = false;
    point(null);
  });
  photo.addEventListener('keydown', (event) => {
    const { pointed, region } = store.get();
    if (!keyed || !isReady() || event.ctrlKey || event.metaKey || event.altKey) return;
    if (MOVES[event.key]) move(MOVES[event.key], event.shiftKey);
    else if (event.key === 'Enter' && pointed) choose(String(region) === String(only(pointed)) ? null : only(pointed));
    else if (event.key === 'Escape' && region) choose(null);
    else return;
    event.preventDefault();
  });

  // A click chooses a cell, a drag a region; the same cell again, none. A finger that swipes scrolls the page and marks
  // nothing: it taps to choose, and drags the corners.
  photo.addEventListener('pointerdown', (event) => {
    keyed = false;
    before = store.get().region;
    const corner = event.target.dataset.corner;
    if (corner && before) from = corner === 'start' ? { row: before[2], column: before[3] } : { row: before[0], column: before[1] };
    else from = event.pointerType !== 'touch' && isReady() ? stage.cellAt(event) : null;
    if (!from) return;
    if (!corner) choose(only(from));
    photo.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  photo.addEventListener('pointermove', (event) => {
    if (keyed) return;
    const cell = stage.cellAt(event);
    if (event.pointerType !== 'touch') point(cell);
    if (from && cell && event.buttons === 1) choose(span(from, cell));
  });
  photo.addEventListener('pointerup', (event) => {
    if (from && !keyed && !event.target.dataset.corner && String(store.get().region) === String(before)) choose(null);
    if (!keyed) from = null;
  });
  photo.addEventListener('pointercancel', () => (from = null));
  photo.addEventListener('click', (event) => {
    if (event.pointerType !== 'touch' || event.target.dataset.corner || !isReady()) return;
    const cell = stage.cellAt(event);
    const { region, data } = store.get();
    if (cell) choose(region && isIn(cell, region) ? null : around(cell, data.grid));
  });
  photo.addEventListener('pointerleave', () => keyed || point(null));

  store.subscribe(['region'], ({ region, data }) => outline(chosen, region, data.grid));
  store.subscribe(['pointed'], ({ pointed, data }) => outline(cursor, pointed && only(pointed), data.grid));
  createChips(frame, store, ask);
}

function isIn({ row, column }, [top, left, bottom, right]) {
  return row >= top && row <= bottom && column >= left && column <= right;
}

function around({ row, column }, [rows, columns]) {
  return [
    Math.max(row - FINGERTIP, 0), Math.max(column - FINGERTIP, 0),
    Math.min(row + FINGERTIP, rows - 1), Math.min(column + FINGERTIP, columns - 1)];
}

// What can be asked of a place floats at its frame: below it, or above, or at the foot of the photo.
function createChips(frame, store, ask) {
  const chips = frame.querySelector('.sat-chips');
  const [look, hide, who] = [0, 1, 2].map(() => make('button'));
  hide.textContent = say('chipHide');
  who.textContent = say('chipWho');
  look.addEventListener('click', () => ask('place'));
  hide.addEventListener('click', () => ask('hide'));
  who.addEventListener('click', () => store.set({ ranked: !store.get().ranked }));
  chips.append(...(ask ? [look, hide, who] : [who]));

  function place([top, left, bottom, right], [rows, columns]) {
    const low = bottom + 1 > 0.8 * rows;
    const centre = (left + right + 1) / 2 / columns;
    chips.style.justifyContent = centre < 0.36 ? 'flex-start' : centre > 0.64 ? 'flex-end' : 'center';
    chips.style.top = low ? 'auto' : `calc(${(100 * (bottom + 1)) / rows}% + 8px)`;
    chips.style.bottom = !low ? 'auto' : top > 0.2 * rows ? `calc(${100 - (100 * top) / rows}% + 8px)` : '8px';
  }

  store.subscribe(['region', 'ranked', 'data', 'words', 'step'], (state) => {
    const { region, ranked, data, step } = state;
    chips.hidden = !region || !state.words.length;
    if (chips.hidden) return;
    place(region, data.grid);
    const word = wordAt({ words: askedWords(state) }, Math.max(step, 0));
    setText(look, say('chipLook', { word: word ? nameOf(word) : '…' }));
    for (const button of [look, hide]) button.disabled = !data.done;
    press(who, ranked);
  });
}

// The cell where the keys have led, for those who came by keys.
export function createSpokenCell(root, store) {
  const spoken = root.querySelector('.sat-spoken');
  store.subscribe(['pointed'], (state) => {
    const { pointed, step, data } = state;
    const word = wordAt(state, step);
    setText(spoken, pointed && pointed.keyed && word ? cellInWords(pointed, word, data.grid) : '');
  });
}

function cellInWords({ row, column }, word, grid) {
  const share = percent(word.alpha[row * grid[1] + column], 1);
  return say('cellWords', { row: row + 1, column: column + 1, share, word: nameOf(word) });
}

// Who looked at the place: the words that did, most first, and on each word how much of its attention lies there.
export function createRegionRanking(element, store, line, pin) {
  const section = element.querySelector('.sat-region-ranking');
  const list = section.querySelector('ol');
  let shown = '';

  section.querySelector('.sat-region-ranking-close').addEventListener('click', () => store.set({ region: null, ranked: false }));

  function row({ word, share, index }, top) {
    const item = make('li');
    const button = make('button');
    button.style.setProperty('--share', top > 0 ? share / top : 0);
    button.append(make('bdi', '', wordName(word.text)), make('span', 'sat-number', percent(share, 1)));
    button.addEventListener('click', () => pin(index));
    item.append(button);
    return item;
  }

  store.subscribe(['words', 'region', 'ranked'], ({ words, region, ranked, data }) => {
    const shares = region && ranked ? words.map((word) => shareIn(word.alpha, region, data.grid)) : null;
    line.showShares(shares);
    const key = JSON.stringify([shares, sentence(words)]);
    if (key === shown) return;
    shown = key;
    section.hidden = !shares || !words.length;
    if (section.hidden) return;
    const even = regionSize(region) / (data.grid[0] * data.grid[1]); // what no preference would give
    section.querySelector('span').textContent = say('regionRanking', { even: percent(even, 1) });
    const best = ranking(shares).slice(0, RANKED).map((index) => ({ word: words[index], share: shares[index], index }));
    list.replaceChildren(...best.map((each) => row(each, best[0].share)));
  });
}
