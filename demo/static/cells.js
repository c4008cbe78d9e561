// Cells of the photo: pointing at one and choosing some, with the pointer or with keys.
const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

function createCells(element, stage, on) {
  const frame = element.querySelector('.sat-stage');
  const cursor = element.querySelector('.sat-cursor');
  let grid = [14, 14];
  let region = null; // of cells, chosen by a click or a drag: top, left, bottom, right
  let pointed = null; // the cell under the pointer, or where the keys have led
  let from = null;
  let before = null;
  let keyed = false;

  const only = (cell) => [cell.row, cell.column, cell.row, cell.column];
  const span = (one, other) => [
    Math.min(one.row, other.row), Math.min(one.column, other.column),
    Math.max(one.row, other.row), Math.max(one.column, other.column)];

  function choose(cells) {
    region = cells;
    outline(element.querySelector('.sat-top .sat-cell'), region, grid);
    on.region(region);
  }

  function point(cell) {
    pointed = cell;
    outline(cursor, cell && only(cell), grid);
    on.point(pointed, keyed);
  }

  function move([down, right], extend) {
    const at = pointed || { row: Math.floor(grid[0] / 2), column: Math.floor(grid[1] / 2) };
    const row = Math.min(Math.max(at.row + down, 0), grid[0] - 1);
    const column = Math.min(Math.max(at.column + right, 0), grid[1] - 1);
    from = extend ? from || at : null;
    point({ row, column });
    if (from) choose(span(from, pointed));
  }

  frame.setAttribute('aria-label', say('stageLabel'));
  frame.addEventListener('focus', () => (keyed = frame.matches(':focus-visible')));
  frame.addEventListener('blur', () => {
    keyed = false;
    point(null);
  });
  frame.addEventListener('keydown', (event) => {
    if (!keyed || !on.ready() || event.ctrlKey || event.metaKey || event.altKey) return;
    if (MOVES[event.key]) move(MOVES[event.key], event.shiftKey);
    else if (event.key === 'Enter' && pointed) choose(String(region) === String(only(pointed)) ? null : only(pointed));
    else if (event.key === 'Escape' && region) choose(null);
    else return;
    event.preventDefault();
  });

  // A click chooses a cell, a drag a region (by touch only while a place is asked for, else it scrolls); the same
  // cell again, none.
  frame.addEventListener('pointerdown', (event) => {
    keyed = false;
    from = on.ready() ? stage.cellAt(event) : null;
    before = region;
    if (from) choose(only(from));
    event.preventDefault();
  });
  frame.addEventListener('pointermove', (event) => {
    if (keyed) return;
    point(stage.cellAt(event));
    if (from && pointed && event.buttons === 1 && (event.pointerType !== 'touch' || on.framing())) choose(span(from, pointed));
  });
  window.addEventListener('pointerup', () => {
    if (from && !keyed && String(region) === String(before)) choose(null);
    if (!keyed) from = null;
  });
  frame.addEventListener('pointerleave', () => keyed || point(null));

  return {
    region: () => region,
    clear: () => choose(null),
    pointed: () => pointed,
    reset(size) {
      grid = size;
      choose(null);
    },
  };
}

// Lay a frame over a region of cells; none, hide it.
function outline(marker, region, grid) {
  marker.hidden = !region;
  if (!region) return;
  const [top, left, bottom, right] = region;
  marker.style.left = (100 * left) / grid[1] + '%';
  marker.style.top = (100 * top) / grid[0] + '%';
  marker.style.width = (100 * (right + 1 - left)) / grid[1] + '%';
  marker.style.height = (100 * (bottom + 1 - top)) / grid[0] + '%';
}

// How much of a map lies in a region.
function shareIn(alpha, [top, left, bottom, right], grid) {
  return sumOf(alpha.filter((none, at) => {
    const row = Math.floor(at / grid[1]);
    const column = at % grid[1];
    return row >= top && row <= bottom && column >= left && column <= right;
  }));
}
