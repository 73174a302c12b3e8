"""Lists, reads and removes objects of the S3 server, without a library."""

import datetime
import hashlib
import hmac
import http.client
import os
import urllib.parse
import xml.etree.ElementTree as ElementTree

EMPTY = hashlib.sha256(b"").hexdigest()


class Bucket:
    """The bucket of the variables that scripts/s3-server prints."""

    def __init__(self):
        self.address = urllib.parse.urlsplit(os.environ["S3_ENDPOINT"]).netloc
        self.name = os.environ["S3_BUCKET"]
        self.connection = http.client.HTTPConnection(self.address, timeout=120)

    def request(self, method, key="", query=()):
        """Sends a signed request (AWS Signature Version 4) without a body, and returns the reply."""
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        path = "/" + urllib.parse.quote(f"{self.name}/{key}" if key else self.name)
        text = urllib.parse.urlencode(sorted(query), quote_via=urllib.parse.quote, safe="")
        headers = {"host": self.address, "x-amz-content-sha256": EMPTY, "x-amz-date": now}
        lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
        canonical = "\n".join([method, path, text, lines, ";".join(headers), EMPTY])
        scope = f"{now[:8]}/{os.environ['AWS_REGION']}/s3/aws4_request"
        to_sign = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        signature = ("AWS4" + os.environ["AWS_SECRET_ACCESS_KEY"]).encode()
        for part in [*scope.split("/"), to_sign]:
            signature = hmac.new(signature, part.encode(), hashlib.sha256).digest()
        headers["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={os.environ['AWS_ACCESS_KEY_ID']}/{scope}, "
            f"SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature={signature.hex()}"
        )
        # The server ends connections that were idle for a while.
        headers["connection"] = "close"
        self.connection.request(method, path + ("?" + text if text else ""), headers=headers)
        reply = self.connection.getresponse()
        if reply.status >= 300:
            raise OSError(f"S3: {method} {path}: {reply.status} {reply.read(300)!r}")
        return reply

    def list(self, prefix):
        """Keys and sizes in bytes."""
        found, token = [], None
        while True:
            query = [("list-type", "2"), ("prefix", prefix)] + ([("continuation-token", token)] if token else [])
            tree = ElementTree.fromstring(self.request("GET", query=query).read())
            space = tree.tag.partition("}")[0] + "}"
            for entry in tree.iter(space + "Contents"):
                found.append((entry.findtext(space + "Key"), int(entry.findtext(space + "Size"))))
            token = tree.findtext(space + "NextContinuationToken")
            if not token:
                return found

    def pieces(self, key):
        """The bytes of an object, as an iterator."""
        reply = self.request("GET", key)
        while piece := reply.read(1 << 20):
            yield piece

    def remove(self, prefix):
        for key, _ in self.list(prefix):
            self.request("DELETE", key).read()
