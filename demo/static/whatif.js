// What if? The questions a class asks, one open at a time. Each goes to Python, which answers with one more caption.
function createWhatIf(root, on) {
  const section = root.querySelector('.sat-whatif');
  const answer = section.querySelector('.sat-answer');
  const untitled = answer.querySelector('.sat-answer-title');
  const runnersUp = section.querySelector('.sat-ask-word');
  const [place, hide] = ['place', 'hide'].map((name) => section.querySelector('.sat-ask-' + name));
  const settings = section.querySelector('.sat-settings');
  const field = section.querySelector('.sat-own input');
  const titles = [...section.querySelectorAll('.sat-question')];
  const panels = [...section.querySelectorAll('.sat-panel')];
  let ready = false;

  section.classList.toggle('sat-unserved', !on.ask);
  titles.forEach((title, index) => {
    const { question } = title.dataset;
    const how = document.createElement('p');
    how.className = 'sat-note sat-how';
    panels[index].prepend(how);
    panels[index].id = 'sat-panel-' + question;
    title.setAttribute('aria-controls', panels[index].id);
    title.textContent = say('questions')[question];
    title.addEventListener('click', () => open(question));
  });
  field.placeholder = say('ownHint');
  field.setAttribute('aria-label', say('ownHint'));
  place.addEventListener('click', () => on.ask('place'));
  hide.addEventListener('click', () => on.ask('hide'));
  section.querySelector('.sat-ask-uniform').addEventListener('click', () => on.ask('uniform'));
  section.querySelector('.sat-own').addEventListener('submit', (event) => {
    event.preventDefault();
    if (field.value.trim() && ready) on.ask('own', { sentence: field.value });
  });
  settings.addEventListener('submit', (event) => {
    event.preventDefault();
    const wanted = ['beam', 'temperature', 'seed'].map((name) => settings.elements[name].valueAsNumber);
    on.ask('settings', { settings: wanted });
  });
  open('word');
  show(null);

  function open(kind) {
    const wanted = titles.findIndex((title) => title.dataset.question === kind);
    if (wanted < 0) return;
    titles.forEach((title, index) => {
      title.setAttribute('aria-expanded', String(index === wanted));
      panels[index].hidden = index !== wanted;
    });
    panels[wanted].append(answer);
    untitled.hidden = true;
    root.dataset.question = kind;
  }

  // A comparison that answers no question stands with the captions it compares, under its own heading.
  function release() {
    root.querySelector('.sat-race').append(answer);
    untitled.hidden = false;
  }

  function runnerUp([text, chance]) {
    const button = document.createElement('button');
    const name = document.createElement('bdi');
    const number = document.createElement('span');
    button.type = 'button';
    button.className = 'sat-toggle';
    button.disabled = !ready;
    name.textContent = text === '<end>' ? '■ ' + say('end') : text;
    number.className = 'sat-number';
    number.textContent = percent(chance);
    button.append(name, ' ', number);
    button.addEventListener('click', () => on.ask('word', { word: text }));
    return button;
  }

  // What the questions say of the word on show.
  function show(word) {
    const name = word ? (word.end ? say('end') : word.text) : '…';
    panels.forEach((panel) => {
      panel.querySelector('.sat-how').textContent = say('how')[panel.dataset.question].replace('{word}', () => name);
    });
    place.textContent = say('askPlace', { word: name });
    const others = word ? word.alternatives.filter(([text]) => text !== word.text) : [];
    runnersUp.replaceChildren(...others.map(runnerUp));
  }

  return {
    open,
    release,
    show,
    enable(done, region) {
      ready = done;
      section.querySelectorAll('.sat-ask button').forEach((button) => (button.disabled = !done));
      for (const button of [place, hide]) button.disabled = !done || !region;
      section.querySelectorAll('.sat-ask-hint').forEach((hint) => (hint.hidden = Boolean(region)));
    },
  };
}
