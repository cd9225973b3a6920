// A front end of 2020, with the forms of aws-amplify-react before its pages.

import React from 'react';
import ReactDOM from 'react-dom';
import Amplify from 'aws-amplify';
import { withAuthenticator } from 'aws-amplify-react';
import awsExports from './generated/aws-exports.js';

Amplify.configure(awsExports);

const Welcome = withAuthenticator(({ authData }) => <h1>Welcome, {authData.username}</h1>);

ReactDOM.render(<Welcome />, document.getElementById('root'));
