// What if? Each question goes to Python, which answers with one more caption.
function createWhatIf(element, on) {
  const place = element.querySelector('.sat-ask-place');
  const hide = element.querySelector('.sat-ask-hide');
  const field = element.querySelector('.sat-own input');
  const settings = element.querySelector('.sat-settings');
  const section = element.querySelector('.sat-whatif');

  section.hidden = !on.ask;
  field.placeholder = say('ownHint');
  field.setAttribute('aria-label', say('ownHint'));
  place.addEventListener('click', () => on.ask('place'));
  hide.addEventListener('click', () => on.ask('hide'));
  element.querySelector('.sat-ask-uniform').addEventListener('click', () => on.ask('uniform'));
  element.querySelector('.sat-own').addEventListener('submit', (event) => {
    event.preventDefault();
    if (field.value.trim()) on.ask('own', { sentence: field.value });
  });
  settings.addEventListener('submit', (event) => {
    event.preventDefault();
    const wanted = ['beam', 'temperature', 'seed'].map((name) => settings.elements[name].valueAsNumber);
    on.ask('settings', { settings: wanted });
  });

  return {
    enable(done, region) {
      section.querySelectorAll('button').forEach((button) => (button.disabled = !done));
      for (const button of [place, hide]) {
        button.disabled = !done || !region;
        button.title = region ? '' : say('askPlaceHint');
      }
    },
  };
}
