// The search as a tree: a column a word, in it the beginnings of that length, likeliest on top. Thick lines lead to
// likely ones; what was dropped fades.
function createTree(element, on) {
  const section = element.querySelector('.sat-search');
  const scroller = section.querySelector('.sat-tree-scroll');
  const field = section.querySelector('.sat-tree');
  const canvas = field.querySelector('canvas');
  let run = null;
  let branches = [];
  let race = [];
  let done = false;
  let nodes = [];
  let lit = []; // the path of the caption that is played
  let marked = '';
  let lines = ''; // what it says of the search

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
    race = data.tree.race.filter((tip) => tip >= 0);
    const alive = new Set(race.flatMap(pathTo));
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

  function add(branch, index) {
    const node = document.createElement('button');
    const end = branch.word === '<end>';
    const text = document.createElement('bdi');
    node.type = 'button';
    node.className = 'sat-node';
    text.textContent = end ? '■' : branch.word;
    node.append(text);
    node.classList.toggle('sat-ended', end);
    node.title = say('treeNode', { word: end ? say('end') : branch.word, chance: percent(branch.chance) });
    node.setAttribute('aria-label', node.title);
    node.style.gridArea = `${branch.row + 1} / ${branch.depth + 1}`;
    node.addEventListener('click', () => {
      on.choose(race.findIndex((tip) => pathTo(tip).includes(index)), branches[index].depth);
    });
    field.append(node);
    nodes.push(node);
  }

  function clear() {
    nodes.forEach((node) => node.remove());
    nodes = [];
    marked = '';
  }

  function tell() {
    const kept = race.length;
    const parents = new Set(branches.map((branch) => branch.parent));
    const dropped = branches.filter((branch, index) => !branch.alive && !parents.has(index)).length;
    const best = pathTo(race[0]).map((index) => branches[index].word).filter((word) => word !== '<end>').join(' ');
    section.querySelector('.sat-tree-badge').textContent = say(done ? 'final' : 'guessing');
    section.querySelector('.sat-tree-best').textContent = best;
    lines = say(done ? 'treeDone' : 'treeGrows', { kept, dropped });
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

  function light(chosen) {
    const apart = race.length > 0 && race[chosen] === undefined;
    lit = race[chosen] === undefined ? [] : pathTo(race[chosen]);
    section.classList.toggle('sat-apart', apart);
    section.querySelector('.sat-tree-line').textContent = apart ? say('treeApart') : lines;
    nodes.forEach((node, index) => {
      node.classList.toggle('sat-dropped', !branches[index].alive);
      node.classList.toggle('sat-lit', lit.includes(index));
      node.classList.toggle('sat-tip', index === lit[lit.length - 1]);
      node.disabled = !done || !branches[index].alive;
    });
    if (nodes.length) draw();
  }

  if (window.ResizeObserver) new ResizeObserver(() => nodes.length && draw()).observe(field);

  return {
    fill(data, chosen) {
      if (data.run !== run && !(data.done && data.tree.branches.length === branches.length)) clear();
      run = data.run;
      read(data);
      section.hidden = branches.length === 0;
      if (section.hidden || !race.length) return clear();
      place();
      for (let index = nodes.length; index < branches.length; index++) add(branches[index], index);
      tell();
      light(chosen);
      if (!done) scroller.scrollLeft = scroller.scrollWidth;
    },
    light,
    // Follows the word that plays.
    mark(step) {
      const state = [step, lit[step]].join();
      if (state === marked) return;
      marked = state;
      nodes.forEach((node, index) => node.classList.toggle('sat-now', index === lit[step]));
      const node = nodes[lit[step]];
      if (!done || !node) return;
      const hidden = node.offsetLeft < scroller.scrollLeft
        || node.offsetLeft + node.offsetWidth > scroller.scrollLeft + scroller.clientWidth;
      if (hidden) scroller.scrollLeft = node.offsetLeft - scroller.clientWidth / 3;
    },
  };
}
