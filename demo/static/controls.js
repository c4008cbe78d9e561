// Buttons, keys and the looks; they speak to the player through the handlers given.
function createControls(element, on) {
  const find = (name) => element.querySelector('.sat-' + name);
  const scrub = find('scrub');
  const [head, done] = ['head', 'done'].map((name) => element.querySelector('.sat-rail-' + name));
  const [play, loop, coverageButton] = ['play', 'loop', 'coverage'].map(find);
  const [legend, colours, most] = ['legend-mark', 'legend-colours', 'legend-top'].map(find);
  const scale = find('legend');
  const ramp = Float32Array.from({ length: 256 }, (none, index) => index / 255);
  let drawn = null;
  let headAt = null;

  find('play').addEventListener('click', on.toggle);
  find('previous').addEventListener('click', () => on.step(-1));
  find('next').addEventListener('click', () => on.step(1));
  find('loop').addEventListener('click', () => on.loop());
  find('full').addEventListener('click', on.lecture);
  find('coverage').addEventListener('click', on.coverage);
  find('pair').addEventListener('click', on.pair);
  find('speed').addEventListener('change', (event) => on.speed(Number(event.target.value)));
  scrub.addEventListener('input', () => on.seek(Number(scrub.value)));
  find('opacity').addEventListener('input', (event) => on.look({ opacity: Number(event.target.value) }));
  element.querySelectorAll('.sat-choice').forEach((choice) => {
    choice.addEventListener('click', (event) => {
      const button = event.target.closest('button');
      if (!button) return;
      choice.querySelectorAll('button').forEach((each) => each.setAttribute('aria-pressed', String(each === button)));
      on.look(JSON.parse(button.dataset.look));
    });
  });

  const keys = {
    ' ': on.toggle, ArrowRight: () => on.step(1), ArrowLeft: () => on.step(-1),
    Home: () => on.jump(0), End: () => on.jump(Infinity), f: on.lecture, c: on.coverage, b: on.pair, Escape: on.leave,
  };

  function onKey(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target;
    if (!element.contains(target) && target !== document.body) return;
    const sliding = target.matches('.sat-opacity') && event.key !== ' ';
    const typing = sliding || target.closest('input:not([type="range"]), textarea, select, [contenteditable="true"]');
    const pressing = event.key === ' ' && target.closest('button') && !target.closest('.sat-word, .sat-thumb');
    if (typing || pressing) return;
    const digit = /^[0-9]$/.test(event.key) ? (Number(event.key) + 9) % 10 : null;
    const action = digit === null ? keys[event.key] : () => on.jump(digit);
    if (!action) return;
    event.preventDefault();
    action();
  }
  document.addEventListener('keydown', onKey);

  return {
    show(state, count, coverage) {
      const text = say(state.playing ? 'pause' : 'play');
      setAttribute(play, 'aria-label', text);
      setAttribute(play, 'title', text + ' (' + say('keys') + ')');
      setAttribute(coverageButton, 'aria-pressed', String(coverage));
      setAttribute(loop, 'aria-pressed', String(state.loop));
      setAttribute(scrub, 'max', String(Math.max(count - 1, 0)));
      if (scrub.disabled !== (count === 0)) scrub.disabled = count === 0;
      if (document.activeElement !== scrub || state.playing) scrub.value = state.position;
    },
    // The head alone follows time, by transforms: the range's own thumb would have the page laid out for every frame.
    seek(position, count) {
      const share = count > 1 ? Math.min(position / (count - 1), 1) : 0;
      if (share === headAt) return;
      headAt = share;
      head.style.transform = `translateX(${100 * share}%)`;
      done.style.transform = `translateX(${100 * share - 100}%)`;
    },
    // ``even``: the weight of a cell if no cell were preferred.
    drawLegend(table, top, even, label) {
      if (table !== drawn) paintField(colours, ramp, ramp.length, 1, 1, table);
      drawn = table;
      setText(most, percent(top, 1));
      setAttribute(scale, 'aria-label', say('legend') + ': 0 – ' + percent(top, 1));
      const left = Math.min(100, (100 * even) / top).toFixed(1) + '%';
      if (legend.style.left !== left) legend.style.left = left;
      setText(legend.firstElementChild, label + ' ' + percent(even, 1));
    },
  };
}

// Only what changes is written: the page is not laid out anew for every frame.
function setText(part, text) {
  if (part.textContent !== text) part.textContent = text;
}

function setAttribute(part, name, value) {
  if (part.getAttribute(name) !== value) part.setAttribute(name, value);
}
