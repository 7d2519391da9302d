// Comfort only: without it the page says the same.
(() => {
  'use strict';
  const wide = matchMedia('(min-width: 78rem)');
  const contents = document.querySelector('nav.contents details');
  if (contents) {
    const fit = () => { contents.open = wide.matches; };
    wide.addEventListener('change', fit);
    fit();

    // Contents: the section that is being read.
    const links = new Map([...contents.querySelectorAll('a')].map(a => [a.hash.slice(1), a]));
    const seen = new IntersectionObserver(entries => {
      for (const { target, isIntersecting } of entries) {
        if (!isIntersecting) continue;
        links.forEach(a => a.removeAttribute('aria-current'));
        links.get(target.getAttribute('aria-labelledby'))?.setAttribute('aria-current', 'true');
      }
    }, { rootMargin: '-20% 0px -75% 0px' });
    document.querySelectorAll('main section').forEach(it => seen.observe(it));
  }

  // A link into a closed cell opens it, in browsers that do not by themselves.
  const reveal = () => {
    const place = location.hash && document.getElementById(location.hash.slice(1));
    const closed = place && place.closest('details.cell:not([open])');
    if (closed) { closed.open = true; place.scrollIntoView(); }
  };
  addEventListener('hashchange', reveal);
  reveal();

  // On a phone a table of ratios is a list: its heads are not to be seen, nor to be stepped on.
  const narrow = matchMedia('(max-width: 44rem)');
  const step = () => document.querySelectorAll('.ratios .sort')
    .forEach(button => { button.disabled = narrow.matches; });
  narrow.addEventListener('change', step);

  // Tables sort by a click on a column's head: up, down, as they were.
  const UNITS = { ns: 1, 'µs': 1e3, ms: 1e6, s: 1e9 };
  const key = cell => {
    if (cell.dataset.value !== undefined) {
      const value = Number(cell.dataset.value);
      return Number.isNaN(value) || cell.dataset.value === '' ? cell.dataset.value : value;
    }
    const text = cell.textContent.trim().replace(/−/g, '-').replace(/[\u202f\s]+/g, ' ');
    const minutes = text.match(/^(\d+) min (\d+) s$/);
    if (minutes) return (minutes[1] * 60 + Number(minutes[2])) * 1e9;
    const number = text.match(/^([-+]?\d[\d ]*(?:\.\d+)?) ?(ns|µs|ms|s)?(?![\w/])/);
    return number ? Number(number[1].replace(/ /g, '')) * (UNITS[number[2]] || 1) : text;
  };
  const empty = value => value === '' || value === '–' || value === '·';
  const compare = (a, b) => empty(a) || empty(b) ? empty(a) - empty(b)
    : typeof a === typeof b ? (typeof a === 'number' ? a - b : a.localeCompare(b, 'en'))
      : typeof a === 'number' ? -1 : 1;
  for (const table of document.querySelectorAll('main table')) {
    const body = table.tBodies[0], heads = [...table.tHead.rows[0].cells];
    const rows = [...body.rows];
    if (rows.length < 3) continue;
    heads.forEach((head, at) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.className = 'sort';
      button.append(...head.childNodes);
      button.title = 'sort';
      head.append(button);
      button.addEventListener('click', () => {
        const was = head.getAttribute('aria-sort');
        heads.forEach(it => it.removeAttribute('aria-sort'));
        const next = { null: 'ascending', ascending: 'descending', descending: null }[was];
        if (next) head.setAttribute('aria-sort', next);
        const sign = next === 'descending' ? -1 : 1;
        const keyed = rows.map((row, place) => [key(row.cells[at]), place, row]);
        if (next) keyed.sort(([a, i], [b, j]) =>
          (empty(a) || empty(b) ? compare(a, b) : sign * compare(a, b)) || i - j);
        body.append(...keyed.map(it => it[2]));
      });
    });
  }
  step();
})();
