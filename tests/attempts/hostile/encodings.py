# prints the secret of its standard input in the encoding that argv[1] names
import sys,base64,zlib,gzip,binascii,codecs,json,quopri,urllib.parse,html,io
s=sys.stdin.buffer.read().rstrip(b"\n"); t=s.decode(); k=sys.argv[1]
def uu(b):
    return binascii.b2a_uu(b[:45]).decode().rstrip("\n")
E={"plain":t,"base32":base64.b32encode(s).decode(),"base32lower":base64.b32encode(s).decode().lower(),"base32hex":base64.b32hexencode(s).decode(),
"a85":base64.a85encode(s).decode(),"b85":base64.b85encode(s).decode(),"uu":uu(s),"rot13":codecs.encode(t,"rot13"),
"octal":"".join("\\%03o"%b for b in s),"od":" ".join("%03o"%b for b in s),"utf16hex":t.encode("utf-16-le").hex(),"utf16b64":base64.b64encode(t.encode("utf-16-le")).decode(),
"utf16raw":"\0".join(t),"utf32hex":t.encode("utf-32-be").hex(),"utf7":t.encode("utf-7").decode(),"fullwidth":"".join(chr(ord(c)+0xfee0) if 33<=ord(c)<127 else c for c in t),
"zwsp":"\u200b".join(t),"backspace":"".join(c+"x\b" for c in t),"overstrike":"".join(c+"\b"+c for c in t),"combining":"".join(c+"\u0301" for c in t),
"nfd-soft":"\u00ad".join(t),"cr":"".join(c+"\r" for c in t),"prefixlines":"\n".join("2026-01-01T00:00:00Z app[1]: "+t[i:i+6] for i in range(0,len(t),6)),
"diff":"\n".join("+ "+t[i:i+6] for i in range(0,len(t),6)),"cstring":"\" \"".join(t[i:i+6] for i in range(0,len(t),6)),"plus":"' + '".join(t[i:i+6] for i in range(0,len(t),6)),
"bytes":repr(list(s)),"hex0x":", ".join("0x%02x"%b for b in s),"hexcolon":":".join("%02X"%b for b in s),"pct4":urllib.parse.quote(urllib.parse.quote(urllib.parse.quote(urllib.parse.quote("".join("%%%02x"%b for b in s))))),
"html":"".join("&#x%x;"%b for b in s),"htmldec":"".join("&#%d;"%b for b in s),"ju":"".join("\\u%04x"%b for b in s),"pu":"".join("%%u%04x"%b for b in s),"cssx":"".join("\\%x "%b for b in s),"rustu":"".join("\\u{%x}"%b for b in s),
"gzb64":base64.b64encode(gzip.compress(s)).decode(),"qp":"".join("=%02X"%b for b in s),"b64b64":base64.b64encode(base64.b64encode(s)).decode(),"b64b64b64":base64.b64encode(base64.b64encode(base64.b64encode(s))).decode(),
"hexb64":base64.b64encode(s.hex().encode()).decode(),"b64hex":base64.b64encode(s).hex(),"hexhex":s.hex().encode().hex(),"b64pct":urllib.parse.quote("".join("%%%02x"%b for b in base64.b64encode(s))),
"basic":"Basic "+base64.b64encode(b"user:"+s).decode(),"b64wrap4":"\n".join(base64.b64encode(s).decode()[i:i+4] for i in range(0,64,4)),"b64quoted":"\"\n  \"".join(base64.b64encode(s).decode()[i:i+8] for i in range(0,64,8)),
"binary":" ".join("{:08b}".format(b) for b in s),"mathbold":"".join(chr(0x1d400+ord(c)-65) if c.isupper() else chr(0x1d41a+ord(c)-97) if c.islower() else c for c in t),
"imap64":base64.b64encode(s).decode().replace("/",","),"bcrypt64":base64.b64encode(s).decode().translate(str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/","./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")),
"tags":"".join(chr(0xe0000+ord(c)) for c in t),"json2":json.dumps(json.dumps("".join("\\u%04x"%b for b in s))),"spaces":" ".join(t),"reverse":t[::-1],
"b58":None}
n=int.from_bytes(s,"big"); o=""
while n: n,r=divmod(n,58); o="123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"[r]+o
E["b58"]=o
if k=="list": print(" ".join(E))
elif len(sys.argv)>2: sys.stdout.buffer.write(json.dumps({"v":E[k]}).encode())
else: sys.stdout.buffer.write((E[k]+"\n").encode("utf-8","surrogatepass"))
