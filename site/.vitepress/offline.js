// A classic script: browsers load no modules from disk. There it does what the pages' own code would do, but for search.
if (location.protocol === 'file:') {
  const root = document.documentElement;
  root.classList.add('offline');
  addEventListener('click', ({ target }) => {
    const sidebar = document.querySelector('.VPSidebar');
    if (target.closest('.VPLocalNav .menu')) sidebar.classList.add('open');
    else if (!target.closest('.VPSidebar')) sidebar?.classList.remove('open');
    if (target.closest('.VPSwitchAppearance')) {
      const dark = root.classList.toggle('dark');
      localStorage.setItem('vitepress-theme-appearance', dark ? 'dark' : 'light');
    }
  });
} else {
  // On a server the pages' own code moves between pages without loading them, so a link must mean the same from all of them.
  addEventListener('DOMContentLoaded', () => {
    for (const link of document.querySelectorAll('a[href]:not([href^="#"])')) link.href = String(link.href);
  });
}
