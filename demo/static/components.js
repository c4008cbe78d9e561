// The page's small components around the player.
import { KEPT, LANGUAGES, languageOf, PARAMETER } from './model/language.js';
import { servedAddress } from './model/messages.js';
import { say } from './model/strings.js';
import { make, press } from './view/elements.js';
import { askShown, onTold, wish } from './view/page.js';
import { store } from './view/storage.js';

// The heading, the way into the lesson where somebody answers, the choice of a language, and the photo field's camera.
export function startHeader({ element, trigger }) {
  element.querySelector('.sat-header p').textContent = say('tagline');
  // Gradio's words for it are English alone; page.css shows these in their place.
  document.documentElement.style.setProperty('--webcam', JSON.stringify(say('webcam')));
  const skip = element.querySelector('.sat-skip');
  skip.textContent = say('skip');
  skip.addEventListener('click', (event) => {
    event.preventDefault();
    document.querySelector('.sat-stage').focus();
  });
  const lesson = element.querySelector('.sat-lesson-start');
  lesson.hidden = !trigger;
  lesson.textContent = say('lessonStart');
  lesson.title = say('lessonTitle');
  lesson.addEventListener('click', () => wish('lesson'));
  onTold('lesson', (on) => press(lesson, on));
  const group = element.querySelector('.sat-languages');
  group.setAttribute('aria-label', say('language'));
  group.append(...Object.keys(LANGUAGES).map(languageButton));
}

// The page begins anew in the language: Gradio has none to change to.
function languageButton(language) {
  const button = make('button', '', LANGUAGES[language]);
  button.lang = language;
  press(button, language === languageOf(document.documentElement.lang));
  button.addEventListener('click', () => {
    store('localStorage', KEPT, language);
    const url = new URL(location.href);
    url.searchParams.set(PARAMETER, language);
    location.replace(url);
  });
  return button;
}

// The example thumbnails, a row for each world: each is a button that asks Python for its photo.
export function startExamples({ element, props, watch, trigger }) {
  const worlds = element.querySelector('.sat-worlds');

  function thumbnail(example) {
    const button = make('button', 'sat-example');
    const image = make('img');
    const name = say(example.name) || example.name;
    image.src = servedAddress(example.photo);
    image.alt = name;
    button.title = name;
    button.append(image);
    button.addEventListener('click', () => trigger('choose', { name: example.name }));
    return button;
  }

  function row(world, examples) {
    const group = make('div', 'sat-row');
    const heading = make('p', 'sat-world', say('worlds')[world]);
    const strip = make('div', 'sat-examples');
    group.setAttribute('role', 'group');
    group.setAttribute('aria-label', heading.textContent);
    strip.append(...examples.map(thumbnail));
    group.append(heading, strip);
    return group;
  }

  function draw() {
    const examples = props.value || [];
    const named = ['inside', 'outside'].map((world) => [world, examples.filter((each) => each.world === world)]);
    worlds.replaceChildren(...named.filter(([, own]) => own.length).map(([world, own]) => row(world, own)));
  }

  watch('value', draw);
  draw();
}

// The switch of the player's camera.
export function startLiveSwitch({ element }) {
  const button = element.querySelector('.sat-live-switch');
  button.append(make('i'), make('span', '', say('live')));
  button.title = say('liveTitle');
  button.addEventListener('click', () => wish('live'));
  onTold('live', (on) => press(button, on));
}

// Buttons that ask Python for a file of the caption on the page, and hand it over as a download.
export function startDownloads({ element, props, watch, trigger }) {
  const group = element.querySelector('.sat-takeaway');
  group.setAttribute('aria-label', say('takeaway'));

  const buttons = props.kinds.map((kind) => {
    const button = make('button', '', say('kinds')[kind]);
    button.dataset.kind = kind;
    button.addEventListener('click', () => {
      group.setAttribute('aria-busy', 'true');
      button.classList.add('sat-busy');
      trigger('take', { kind, ...askShown() });
    });
    return button;
  });
  group.append(make('span', '', say('takeaway')), ...buttons);

  watch('value', () => {
    group.removeAttribute('aria-busy');
    buttons.forEach((button) => button.classList.remove('sat-busy'));
    const file = props.value && props.value.file;
    if (!file) return;
    const link = make('a');
    link.href = servedAddress(file);
    link.download = file.orig_name;
    document.body.append(link);
    link.click();
    link.remove();
  });
}
