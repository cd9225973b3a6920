"""pycognito signs up and in, by SRP, on boto3 with nothing but another endpoint.

Its class Cognito takes only tokens that are signed by RS256, so those of its
AWSSRP are used as they come. Prints what it was told, as JSON.
"""

import json
import os

from pycognito import AWSSRP, Cognito

POOL = os.environ["BYLINE_POOL"]
CLIENT = os.environ["BYLINE_CLIENT"]
USERNAME = os.environ["BYLINE_USERNAME"]
EMAIL = os.environ["BYLINE_EMAIL"]
PASSWORD = os.environ["BYLINE_PASSWORD"]

cognito = Cognito(POOL, CLIENT, boto3_client_kwargs={"endpoint_url": os.environ["BYLINE_ENDPOINT"]})
boto = cognito.client


def sign_in(name, password):
    """The tokens of whoever proves to know the password."""
    srp = AWSSRP(username=name, password=password, pool_id=POOL, client_id=CLIENT, client=boto)
    return srp.authenticate_user()["AuthenticationResult"]


def refusal(name, password):
    """The type and the words of a sign-in that is refused."""
    try:
        return sign_in(name, password)
    except boto.exceptions.ClientError as error:
        return [error.response["Error"]["Code"], error.response["Error"]["Message"]]


cognito.set_base_attributes(email=EMAIL)
signed_up = cognito.register(USERNAME, PASSWORD)
by_name = sign_in(USERNAME, PASSWORD)
by_address = sign_in(EMAIL, PASSWORD)
refused = [refusal(USERNAME, "a wrong one"), refusal(EMAIL, "a wrong one"), refusal("nobody", PASSWORD)]
renewed = boto.initiate_auth(
    ClientId=CLIENT,
    AuthFlow="REFRESH_TOKEN_AUTH",
    AuthParameters={"REFRESH_TOKEN": by_name["RefreshToken"]},
)["AuthenticationResult"]
rotated = boto.get_tokens_from_refresh_token(ClientId=CLIENT, RefreshToken=by_address["RefreshToken"])
cognito.access_token = renewed["AccessToken"]

tokens = [by_name, by_address, renewed, rotated["AuthenticationResult"]]
print(json.dumps({
    "confirmed": signed_up["UserConfirmed"],
    "refused": refused,
    "tokens": [token["AccessToken"] for token in tokens],
    "email": cognito.get_user().email,
}))
