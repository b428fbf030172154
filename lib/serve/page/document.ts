/** The page's document. The modules in client/ find its parts by id. */

/** `bodyBytes` is the most that the server takes of a picture: larger ones need not be sent to be refused. */
export function pageDocument({ bodyBytes }: { readonly bodyBytes: number }): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>bitpath: what is on the picture?</title>
<link rel="icon" href="page/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="page/style.css">
<script type="module" src="page/main.js"></script>
</head>
<body data-body-bytes="${bodyBytes}">
<header>
  <h1>bitpath</h1>
  <p>Binary networks say what is on a picture.</p>
  <nav aria-label="More"><a href="docs">API</a></nav>
</header>
<main>
  <noscript><p class="problem">This page needs JavaScript. The server does not: see <a href="docs">its API</a>.</p></noscript>
  <form id="key" hidden novalidate autocomplete="off">
    <label for="key-input">This server asks for an API key</label>
    <div class="row">
      <input id="key-input" type="password" autocomplete="off" spellcheck="false" required aria-describedby="key-note key-problem">
      <button type="submit">Use this key</button>
    </div>
    <p id="key-problem" class="problem" role="alert" hidden></p>
    <p id="key-note" class="note">Kept in this tab until you close it.</p>
  </form>
  <div id="trouble" role="alert" hidden>
    <p id="trouble-text" class="problem"></p>
    <button type="button" id="try-again">Try again</button>
  </div>
  <fieldset id="models" disabled>
    <legend class="hidden">Networks</legend>
    <div class="field"><label for="model">Network</label><select id="model"></select></div>
    <div class="field" id="second-field" hidden><label for="second-model">Beside it</label><select id="second-model"></select></div>
  </fieldset>
  <section id="intake" aria-label="Pictures">
    <div class="buttons">
      <label class="button"><input id="choose" type="file" accept="image/*" multiple>Choose pictures</label>
      <label class="button touch"><input id="photograph" type="file" accept="image/*" capture="environment">Take a photo</label>
    </div>
    <p class="note pointer">or drop them anywhere, or paste one</p>
    <div id="notices" role="alert"></div>
  </section>
  <section id="results" aria-labelledby="results-title" hidden>
    <div class="row spread"><h2 id="results-title">Results</h2><button type="button" id="clear">Clear</button></div>
    <ol id="cards"></ol>
  </section>
  <p id="spoken" class="hidden" role="status"></p>
</main>
<footer>
  <p>Pictures are sent to this server and to nobody else; it keeps none.</p>
  <button type="button" id="forget" hidden>Forget the API key</button>
</footer>
</body>
</html>
`;
}
