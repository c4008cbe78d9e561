// A photo dropped or pasted anywhere on the page goes to the page's own photo field. One over ``limit`` bytes is not
// sent; ``refuse`` says so.
function acceptPhotos(element, limit, refuse) {
  const root = document.documentElement;

  function send(file) {
    const input = document.querySelector('#photo input[type="file"]');
    if (!input || !file) return;
    const transfer = new DataTransfer();
    transfer.items.add(file);
    input.files = transfer.files;
    input.dispatchEvent(new Event('change', { bubbles: true }));
  }

  function carriesFile(event) {
    return event.dataTransfer && Array.from(event.dataTransfer.types).includes('Files');
  }

  // Whether it is kept from Gradio, which would refuse it in English only.
  function refused(event, files) {
    if (!refuse || !Array.from(files).some((file) => file.size > limit)) return false;
    event.preventDefault();
    event.stopImmediatePropagation();
    root.classList.remove('sat-dragging');
    refuse();
    return true;
  }

  document.addEventListener('change', (event) => {
    if (event.target.matches('#photo input[type="file"]') && refused(event, event.target.files)) event.target.value = '';
  }, true);
  document.addEventListener('drop', (event) => carriesFile(event) && refused(event, event.dataTransfer.files), true);

  document.addEventListener('dragover', (event) => {
    if (!carriesFile(event)) return;
    event.preventDefault();
    root.classList.add('sat-dragging');
  });
  document.addEventListener('dragleave', (event) => {
    if (!event.relatedTarget) root.classList.remove('sat-dragging');
  });
  document.addEventListener('drop', (event) => {
    root.classList.remove('sat-dragging');
    if (!carriesFile(event) || event.target.closest('#photo')) return;
    event.preventDefault();
    send(event.dataTransfer.files[0]);
  });
  document.addEventListener('paste', (event) => {
    const files = event.clipboardData ? Array.from(event.clipboardData.files) : [];
    if (files.length && !event.target.closest('#photo')) send(files[0]);
  });
}
