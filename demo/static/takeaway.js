// Buttons that ask Python for a file of the caption on the page, and hand it over as a download.
const group = element.querySelector('.sat-takeaway');
const label = document.createElement('span');
label.textContent = say('takeaway');
group.setAttribute('aria-label', say('takeaway'));

const buttons = props.kinds.map((kind) => {
  const button = document.createElement('button');
  button.type = 'button';
  button.dataset.kind = kind;
  button.textContent = say('kinds')[kind];
  button.addEventListener('click', () => {
    const player = document.querySelector('.sat');
    group.setAttribute('aria-busy', 'true');
    button.classList.add('sat-busy');
    const { caption, mode, scale } = player.dataset;
    trigger('take', { kind, index: Number(caption), look: mode, scale });
  });
  return button;
});
group.append(label, ...buttons);

watch('value', () => {
  group.removeAttribute('aria-busy');
  buttons.forEach((button) => button.classList.remove('sat-busy'));
  const file = props.value && props.value.file;
  if (!file) return;
  const link = document.createElement('a');
  link.href = file.url;
  link.download = file.orig_name;
  document.body.append(link);
  link.click();
  link.remove();
});
