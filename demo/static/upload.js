// A photo dropped or pasted anywhere on the page goes to the page's own photo field.
function acceptPhotos(element) {
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
