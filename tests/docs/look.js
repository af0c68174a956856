// What may be wrong with a page as it is shown now: `reader.look(width)` returns its faults.

const reader = (() => {
const linear = v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
const light = ([r, g, b]) => .2126 * linear(r / 255) + .7152 * linear(g / 255) + .0722 * linear(b / 255);
const rgba = s => { const v = s.match(/[\d.]+/g).map(Number); return [v.slice(0, 3), v.length > 3 ? v[3] : 1] };

function look(width) {
  const root = document.querySelector('article') || document.body, faults = [], grounds = new Map(), kinds = new Set();
  const all = [...root.querySelectorAll('*')], say = e => `${e.tagName} ${e.textContent.trim().slice(0, 60)}`;
  const boxes = new Map(all.map(e => [e, e.getBoundingClientRect()]));

  if (document.documentElement.scrollWidth > width)  // a phone zooms out: its innerWidth grows with the page
     faults.push(`is ${document.documentElement.scrollWidth} px wide`);
  const around = [];  // the theme lets all that is around an article scroll, which must not be needed
  for (let e = root; e; e = e.parentElement) around.push(e);
  for (const e of [...around, ...all])  // tables of numbers may, in a box of their own; lines may not
    if (e.scrollWidth > e.clientWidth + 1 && e.clientWidth && !e.matches('.table-wrapper, table *, svg *, math *')
        && getComputedStyle(e).overflowX != 'visible') faults.push(`scrolls sideways: ${say(e)}`);

  // The contrast (WCAG: from 1 to 21) of each text against the first ground behind it.
  const ground = e => {
    if (!e) return [255, 255, 255];
    if (!grounds.has(e)) {
      const [colour, opaque] = rgba(getComputedStyle(e).backgroundColor);
      grounds.set(e, opaque > .9 ? colour : ground(e.parentElement));
    }
    return grounds.get(e);
  };
  for (const e of all) {
    const kind = e.matches('pre span') && e.className;  // a page has thousands of words of code, of a dozen colours
    if (kind && kinds.has(kind) || !boxes.get(e).width || e.matches('.headerlink, script, style, option, math *')) continue;
    if (![...e.childNodes].some(n => n.nodeType == 3 && n.data.trim())) continue;
    kinds.add(kind);
    const style = getComputedStyle(e);
    if (style.visibility == 'hidden' || !Number(style.opacity) || e.disabled) continue;
    const [a, b] = [light(rgba(style.color)[0]), light(ground(e))];
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4) faults.push(`has contrast ${ratio.toFixed(1)}: ${say(e)}`);
  }

  for (const e of root.querySelectorAll('math'))
    if (boxes.get(e).height < 6 || boxes.get(e).width < 3) faults.push(`has a flat formula: ${say(e)}`);
  for (const e of document.querySelectorAll('article img, a, button, input, label, select, canvas'))
    if (e.getBoundingClientRect().width && !e.closest("[aria-hidden=true]") && !(e.alt || e.textContent.trim() || e.ariaLabel || e.title || e.placeholder
        || e.labels?.length || e.querySelector('img[alt], svg, title'))) faults.push(`has no name for ${e.outerHTML.slice(0, 120)}`);
  return faults;
}

// Put the middle of another page of the same folder in the place of this one's, and look at it in some themes.
function lookAt(html, width, themes) {
  const other = new DOMParser().parseFromString(html, 'text/html');
  document.querySelector('.main').replaceWith(document.adoptNode(other.querySelector('.main')));
  return themes.flatMap(theme => {
    document.body.dataset.theme = theme;  // as the button at the top of each page does
    return look(width).map(fault => `in ${theme} ${fault}`);
  });
}

return { look, lookAt };
})();
