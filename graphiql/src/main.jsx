import { DocExplorerContextProvider, DOC_EXPLORER_PLUGIN } from '@graphiql/plugin-doc-explorer';
import { GraphiQLProvider } from '@graphiql/react';
import CodeMirror from 'codemirror';
import { GraphiQLInterface } from 'graphiql';
import { buildSchema } from 'graphql';
import { createRoot } from 'react-dom/client';
import { credential } from './credential.js';
import { examples } from './examples.js';
import { fetcher } from './fetcher.js';
import 'graphiql/graphiql.css';
import './page.css';

const place = document.getElementById('graphiql');
const { endpoint, schema, signedIn } = place.dataset;

const field = document.getElementById('credential');
field.value = credential.get();
field.addEventListener('input', () => credential.set(field.value));
field.form.addEventListener('submit', (event) => event.preventDefault());

const NAMES = {
  'graphql': 'Query',
  'graphql-variables': 'Variables',
  'graphql-results': 'Result',
};

CodeMirror.defineInitHook((editor) => {
  // Tab leaves an editor, as it leaves every other control (WCAG 2.1.2).
  editor.addKeyMap({ 'Tab': false, 'Shift-Tab': false });
  // Screen readers say what each is for, and the keyboard scrolls it.
  const mode = editor.getOption('mode');
  const name = NAMES[mode?.name ?? mode] ?? 'Headers';
  editor.getInputField().setAttribute('aria-label', name);
  editor.getScrollerElement().tabIndex = 0;
});

// The parts of <GraphiQL> but its history, which would write pasted headers to the disk.
// The schema comes as a file, so that it can be read before anybody has logged in.
const text = await fetch(schema).then((response) => response.text());
createRoot(place).render(
  <GraphiQLProvider
    fetcher={fetcher(endpoint, signedIn !== undefined)}
    schema={buildSchema(text)}
    plugins={[DOC_EXPLORER_PLUGIN]}
    referencePlugin={DOC_EXPLORER_PLUGIN}
    defaultTabs={examples}
    shouldPersistHeaders={false}
  >
    <DocExplorerContextProvider>
      <GraphiQLInterface showPersistHeadersSettings={false} defaultEditorToolsVisibility />
    </DocExplorerContextProvider>
  </GraphiQLProvider>,
);
