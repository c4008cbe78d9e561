// Buttons, keys and the looks; they speak to the player through the handlers given.
function createControls(element, on) {
  const find = (name) => element.querySelector('.sat-' + name);
  const scrub = find('scrub');
  const ramp = Float32Array.from({ length: 256 }, (none, index) => index / 255);
  let drawn = null;

  find('play').addEventListener('click', on.toggle);
  find('previous').addEventListener('click', () => on.step(-1));
  find('next').addEventListener('click', () => on.step(1));
  find('loop').addEventListener('click', () => on.loop());
  find('full').addEventListener('click', on.lecture);
  find('coverage').addEventListener('click', on.coverage);
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
    Home: () => on.jump(0), End: () => on.jump(Infinity), f: on.lecture, c: on.coverage, Escape: on.leave,
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
      const play = find('play');
      const text = say(state.playing ? 'pause' : 'play');
      play.setAttribute('aria-label', text);
      play.title = text + ' (' + say('keys') + ')';
      find('coverage').setAttribute('aria-pressed', String(coverage));
      find('loop').setAttribute('aria-pressed', String(state.loop));
      scrub.max = Math.max(count - 1, 0);
      scrub.disabled = count === 0;
      if (document.activeElement !== scrub || state.playing) scrub.value = state.position;
      scrub.style.setProperty('--share', count > 1 ? state.position / (count - 1) : 0);
    },
    // ``even``: the weight of a cell if no cell were preferred.
    drawLegend(table, top, even, label) {
      if (table !== drawn) paintField(find('legend-colours'), ramp, ramp.length, 1, 1, table);
      drawn = table;
      setText(find('legend-top'), percent(top, 1));
      const mark = find('legend-mark');
      mark.style.left = Math.min(100, (100 * even) / top) + '%';
      setText(mark.firstElementChild, label + ' ' + percent(even, 1));
    },
  };
}

// Only what changes is written: the page is not laid out anew for every frame.
function setText(part, text) {
  if (part.textContent !== text) part.textContent = text;
}
