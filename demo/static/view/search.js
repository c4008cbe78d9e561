// What the search found: as a tree, as a list, and what is to be said of the caption that plays.
import { pairOf, verdict } from '../model/comparison.js';
import { begunWith } from '../model/messages.js';
import { captionOf } from '../model/state.js';
import { say } from '../model/strings.js';
import {
  arithmetic, bars, familiarity, isAnswer, mark, percent, rankedScore, rule, score, sentence, wordCount,
} from '../model/wording.js';
import { label, make, press, setText, track } from './elements.js';

const EDGE = 40; // pixels in which what goes on beyond the box fades; see the style

// The search as a tree: a column a word, in it the beginnings of that length, likeliest on top. Thick lines lead to likely
// ones; what was dropped is pale, and can be finished.
// ``choose``: plays a caption from a word on. ``finish``: asks how the model goes on from a beginning that was dropped;
// null where nobody answers.
export function createSearchTree(element, store, choose, finish) {
  const section = element.querySelector('.sat-search');
  const scroller = section.querySelector('.sat-tree-scroll');
  const field = section.querySelector('.sat-tree');
  const canvas = field.querySelector('canvas');
  let run = null;
  let branches = [];
  let tips = [];
  let done = false;
  let nodes = [];
  let lit = []; // the path of the caption that is played
  let marked = '';
  let lines = ''; // what it says of the search
  let offer = null; // the button that has a beginning finished

  function pathTo(tip) {
    const path = [];
    for (let at = tip; at >= 0; at = branches[at].parent) path.unshift(at);
    return path;
  }

  function read(data) {
    branches = [];
    for (const [parent, word, logProb] of data.tree.branches) {
      const before = parent < 0 ? { depth: -1, logProb: 0 } : branches[parent];
      branches.push({ parent, word, logProb, depth: before.depth + 1, chance: Math.exp(logProb - before.logProb) });
    }
    tips = data.tree.race.filter((tip) => tip >= 0);
    const alive = new Set(tips.flatMap(pathTo));
    branches.forEach((branch, index) => (branch.alive = alive.has(index)));
    done = data.done;
  }

  // Rows by likelihood within a column; a column is whole when its step arrives, so no node moves later.
  function place() {
    const columns = [];
    for (const branch of branches) (columns[branch.depth] = columns[branch.depth] || []).push(branch);
    for (const column of columns) {
      const best = Math.max(...column.map((branch) => branch.logProb));
      [...column].sort((one, other) => other.logProb - one.logProb).forEach((branch, row) => {
        branch.row = row;
        branch.share = Math.exp(branch.logProb - best);
      });
    }
  }

  function tellNode(node, { word, chance, alive }) {
    const name = word === '<end>' ? say('end') : word;
    label(node, say(alive ? 'treeNode' : 'treeDropped', { word: name, chance: percent(chance) }));
  }

  function add(branch, index) {
    const end = branch.word === '<end>';
    const node = make('button', end ? 'sat-node sat-ended' : 'sat-node');
    node.append(make('bdi', '', end ? '■' : branch.word));
    node.style.gridArea = `${branch.row + 1} / ${branch.depth + 1}`;
    node.addEventListener('click', () => {
      const tip = tips.findIndex((each) => pathTo(each).includes(index));
      if (tip < 0) offerToFinish(index);
      else choose(tip, branches[index].depth);
    });
    field.append(node);
    nodes.push(node);
  }

  // A touch on a small word shall not start the model: the button that does appears over it.
  function offerToFinish(index) {
    const words = pathTo(index).map((each) => branches[each].word);
    withdraw();
    offer = make('button', 'sat-finish', say('finish'));
    label(offer, say('finishOf', { words: words.filter((word) => word !== '<end>').join(' ') }));
    offer.addEventListener('click', () => {
      withdraw();
      finish(words);
    });
    field.append(offer);
    const node = nodes[index];
    offer.style.left = Math.max(0, Math.min(node.offsetLeft, field.offsetWidth - offer.offsetWidth)) + 'px';
    offer.style.top = node.offsetTop + node.offsetHeight / 2 + 'px';
    offer.focus();
  }

  function withdraw() {
    if (offer) offer.remove();
    offer = null;
  }

  section.addEventListener('pointerdown', (event) => event.target !== offer && withdraw());
  field.addEventListener('keydown', (event) => event.key === 'Escape' && withdraw());

  // Where the tree goes on beyond its box.
  function showEdges() {
    const { scrollLeft, scrollWidth, clientWidth } = scroller;
    scroller.classList.toggle('sat-more-before', scrollLeft > 1);
    scroller.classList.toggle('sat-more-after', scrollLeft + clientWidth < scrollWidth - 1);
  }

  scroller.addEventListener('scroll', showEdges, { passive: true });

  function clear() {
    withdraw();
    nodes.forEach((node) => node.remove());
    nodes = [];
    marked = '';
  }

  function tell() {
    const kept = tips.length;
    const parents = new Set(branches.map((branch) => branch.parent));
    const dropped = branches.filter((branch, index) => !branch.alive && !parents.has(index)).length;
    const best = pathTo(tips[0]).map((index) => branches[index].word).filter((word) => word !== '<end>').join(' ');
    section.querySelector('.sat-tree-badge').textContent = say(done ? 'final' : 'guessing');
    section.querySelector('.sat-tree-best').textContent = best;
    lines = say(done ? 'treeDone' : 'treeGrows', { kept, dropped });
    if (done && finish && dropped) lines += ' ' + say('finishHint');
  }

  // All places are read before anything is drawn, and only when the tree changes.
  function draw() {
    const width = field.offsetWidth;
    const height = field.offsetHeight;
    const ratio = window.devicePixelRatio || 1;
    const boxes = nodes.map((node) => ({
      left: node.offsetLeft, right: node.offsetLeft + node.offsetWidth, y: node.offsetTop + node.offsetHeight / 2 }));
    const edges = []; // the right edge of each column
    branches.forEach(({ depth }, index) => (edges[depth] = Math.max(edges[depth] || 0, boxes[index].right)));
    const style = getComputedStyle(section);
    const [accent, soft] = ['--accent', '--soft'].map((name) => style.getPropertyValue(name));
    Object.assign(canvas, { width: width * ratio, height: height * ratio });
    const context = canvas.getContext('2d');
    context.scale(ratio, ratio);
    context.lineCap = 'round';
    const order = [...branches.keys()].sort((one, other) => lit.includes(one) - lit.includes(other)); // bright on top
    for (const index of order) {
      const branch = branches[index];
      const from = boxes[branch.parent] || { right: 3, y: boxes[0].y };
      const to = boxes[index];
      const bright = lit.includes(index);
      const edge = edges[branch.depth - 1] || from.right; // straight past the column's longer words
      const middle = (edge + to.left) / 2;
      context.beginPath();
      context.moveTo(from.right, from.y);
      context.lineTo(edge, from.y);
      context.bezierCurveTo(middle, from.y, middle, to.y, to.left, to.y);
      context.lineWidth = 1.5 + 4.5 * branch.share;
      context.globalAlpha = bright ? 1 : branch.alive ? 0.55 : 0.2;
      context.strokeStyle = bright ? accent : soft;
      context.stroke();
    }
  }

  // The branches of a beginning's words.
  function pathOf(words) {
    const path = [];
    for (const word of words) {
      const parent = path.length ? path[path.length - 1] : -1;
      path.push(branches.findIndex((branch) => branch.parent === parent && branch.word === word));
    }
    return path.includes(-1) ? [] : path;
  }

  // What the search found has its path; a beginning that was finished has its own as far as the search went.
  function light(state) {
    const found = tips[state.chosen] !== undefined;
    const caption = captionOf(state);
    lit = found ? pathTo(tips[state.chosen]) : caption ? pathOf(begunWith(caption)) : [];
    const apart = tips.length > 0 && !lit.length;
    section.classList.toggle('sat-apart', apart);
    section.querySelector('.sat-tree-line').textContent = found ? lines : say(apart ? 'treeApart' : 'treeBranch');
    nodes.forEach((node, index) => {
      node.classList.toggle('sat-dropped', !branches[index].alive);
      node.classList.toggle('sat-lit', lit.includes(index));
      node.classList.toggle('sat-tip', index === lit[lit.length - 1]);
      node.disabled = !done || !(branches[index].alive || finish);
      tellNode(node, branches[index]);
    });
    if (nodes.length) draw();
  }

  if (window.ResizeObserver) {
    new ResizeObserver(() => nodes.length && draw()).observe(field);
    const observer = new ResizeObserver(showEdges);
    [field, scroller].forEach((each) => observer.observe(each));
  }

  function fill(state) {
    const { data } = state;
    if (data.run !== run && !(data.done && data.tree.branches.length === branches.length)) clear();
    run = data.run;
    read(data);
    section.hidden = branches.length === 0;
    if (section.hidden || !tips.length) return clear();
    place();
    for (let index = nodes.length; index < branches.length; index++) add(branches[index], index);
    tell();
    light(state);
    if (!done) scroller.scrollLeft = scroller.scrollWidth;
  }

  store.subscribe(['data', 'chosen'], (state, before) => {
    if (state.data !== before.data) fill(state);
    else light(state);
  });

  return {
    // Follows the word of the moment.
    show({ index: step }) {
      const key = [step, lit[step]].join();
      if (key === marked) return;
      marked = key;
      nodes.forEach((node, index) => node.classList.toggle('sat-now', index === lit[step]));
      const node = nodes[lit[step]];
      if (!done || !node) return;
      const hidden = node.offsetLeft < scroller.scrollLeft + EDGE
        || node.offsetLeft + node.offsetWidth > scroller.scrollLeft + scroller.clientWidth - EDGE;
      if (hidden) scroller.scrollLeft = node.offsetLeft - scroller.clientWidth / 3;
    },
  };
}

// All captions the search found, best first and with what ranks them, and the answers to questions: each can be played.
export function createCaptionList(element, store, choose) {
  const section = element.querySelector('.sat-caption-list');
  const list = section.querySelector('.sat-captions');
  const line = section.querySelector('.sat-captions-line');
  const forgotten = section.querySelector('.sat-forgotten');
  const pairButton = section.querySelector('.sat-pair');

  function row(caption, index, share) {
    const item = make('li');
    const button = make('button');
    button.title = arithmetic(caption);
    button.append(
      make('small', '', mark(caption)), make('bdi', '', sentence(caption.words)), track(share),
      make('span', 'sat-number', wordCount(caption)), make('span', 'sat-number sat-captions-nats', score(caption)),
      make('span', 'sat-number sat-captions-score', rankedScore(caption)));
    button.addEventListener('click', () => choose(index));
    item.append(button);
    return item;
  }

  store.subscribe(['data'], ({ data }) => {
    const captions = data.captions.length > 1 ? data.captions : []; // a lone one stands above already
    section.hidden = !captions.length;
    pairButton.hidden = !captions.length;
    const shares = bars(captions);
    list.replaceChildren(...captions.map((caption, index) => row(caption, index, shares[index])));
    const answers = captions.findIndex(isAnswer);
    if (answers > 0) list.children[answers].before(make('li', 'sat-note sat-captions-answers', say('answersHead')));
    line.textContent = captions.length ? rule(captions[0]) : '';
    forgotten.hidden = !data.forgotten;
    forgotten.textContent = say('forgotten', { kept: captions.filter(isAnswer).length });
  });
  store.subscribe(['data', 'chosen', 'companion'], ({ chosen, companion }) => {
    list.querySelectorAll('button').forEach((button, index) => press(button, index === chosen));
    press(pairButton, companion >= 0);
  });
}

// How far the model is, and what is to be known of its caption.
export function createNotes(element, store) {
  const [status, live, cut, familiar] = ['status', 'live', 'cut', 'familiar'].map((each) => element.querySelector('.sat-' + each));

  store.subscribe(['phase', 'ahead'], ({ phase, ahead }) => {
    status.textContent = say(phase === 'asking' && ahead ? 'waiting' : phase, { ahead }) || '';
  });
  // The one that is read out: what was written in the end, with what it comes to beside what it answers; no guess before.
  store.subscribe(['data'], (state) => {
    const { data, words } = state;
    const pair = pairOf(state);
    const parts = [say(data.phase === 'stopped' ? 'stopped' : 'caption') + ': ' + sentence(words), pair ? verdict(pair) : ''];
    setText(live, data.done && words.length ? parts.join(' ').trim() : '');
    familiar.textContent = familiarity(data);
  });
  store.subscribe(['words'], (state) => {
    const caption = captionOf(state);
    cut.textContent = caption && !caption.finished ? say('cut') : '';
  });
}
