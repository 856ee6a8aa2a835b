#!/usr/bin/env python3
# srv.py PORT MODE : an HTTP store with bad manners. GET /_ctl?.. is not counted. Log of writes: srv-PORT.log
import sys, json, http.server, hashlib, time, threading, os
PORT=int(sys.argv[1]); MODE=set(sys.argv[2].split(',')) if len(sys.argv)>2 else set()
docs={}; lock=threading.Lock(); n={'get':0,'put':0,'delete':0}
stale={}
def log(*a):
    with open(f'srv-{PORT}.log','a') as f: print(*a, file=f)
class H(http.server.BaseHTTPRequestHandler):
    protocol_version='HTTP/1.1'
    def log_message(self,*a): pass
    def out(self,code,body=b'',tag=None,ct='application/json'):
        self.send_response(code); self.send_header('Content-Length',str(len(body)))
        if body: self.send_header('Content-Type',ct)
        if tag: self.send_header('ETag',tag)
        self.end_headers(); self.wfile.write(body)
    def tag(self,b):
        if 'noetag' in MODE: return None
        if 'constetag' in MODE: return '"one"'
        if 'weaketag' in MODE: return 'W/"'+hashlib.md5(b).hexdigest()[:8]+'"'
        return '"'+hashlib.md5(b).hexdigest()[:12]+'"'
    def colleague(self, body):   # direct write as somebody else
        docs[self.path]=body; log('colleague',self.path,body.decode())
    def do_GET(self):
        n['get']+=1
        log('GET',self.path,docs.get(self.path,b'-').decode())
        if 'stale' in MODE and self.path in stale and n['get']>1:
            b=stale[self.path]; return self.out(200,b,self.tag(b))
        if 'getflap' in MODE and n['get']>int(os.environ.get('AFTER','1')): return self.out(404)
        b=docs.get(self.path)
        if b is None: return self.out(404)
        self.out(200,b,self.tag(b))
        if self.path=='/d':
            n['d']=n.get('d',0)+1
            if os.environ.get('ONGET') and n['d']==int(os.environ['ONGET']): self.colleague(os.environ['WRITE'].encode())
    do_HEAD=do_GET
    def body(self):
        l=int(self.headers.get('Content-Length') or 0); return self.rfile.read(l)
    def cond(self):
        if 'nocond' in MODE: return True
        cur=docs.get(self.path); im=self.headers.get('If-Match'); inm=self.headers.get('If-None-Match')
        if im and (cur is None or (im!='*' and im!=self.tag(cur))): return False
        if inm=='*' and cur is not None: return False
        return True
    def do_PUT(self):
        b=self.body()
        if self.headers.get('X-Colleague'):
            self.colleague(b); return self.out(200,b'{}')
        n['put']+=1
        ok=self.cond(); log('PUT',self.path,b.decode(),'if-match',self.headers.get('If-Match'),'inm',self.headers.get('If-None-Match'),ok)
        if not ok: return self.out(412)
        if 'fail429' in MODE and n['put']==1:
            p=self.path
            def col(): docs[p]=b'{"a":55,"ok":1}'; log('colleague',p,'{"a":55,"ok":1}')
            threading.Timer(0.5,col).start(); return self.out(429)
        if 'failbefore' in MODE and n['put']==1: return self.out(500,b'{"e":1}')
        if 'colleaguefirst' in MODE and n['put']==1:
            self.colleague(b); return self.out(500,b'{"e":1}')
        stale.setdefault(self.path, docs.get(self.path,b'{}'))
        docs[self.path]=b
        if 'failafter' in MODE and n['put']==1: return self.out(500,b'{"e":1}')
        if 'lie412' in MODE and n['put']==1: return self.out(412)
        if 'hang' in MODE and n['put']==1: time.sleep(100)
        if 'drop' in MODE and n['put']==1: self.connection.shutdown(2); self.close_connection=True; return
        if 'async202' in MODE and n['put']==1:
            old=stale[self.path]; docs[self.path]=old; p=self.path
            def late(): docs[p]=b; log('LATE',p,b.decode())
            threading.Timer(float(os.environ.get('LATE','15')),late).start(); return self.out(202)
        if 'accept202' in MODE and n['put']==1: docs[self.path]=stale[self.path]; return self.out(202)
        if 'redirect' in MODE:
            self.send_response(303); self.send_header('Location','/elsewhere'); self.send_header('Content-Length','0'); self.end_headers(); return
        if 'colleagueafter' in MODE and n['put']==1:
            d=json.loads(b); d['colleague']='kept'; self.colleague(json.dumps(d).encode())
        self.out(200,b'{}', self.tag(b))
    def do_DELETE(self):
        n['delete']+=1; ok=self.cond(); log('DELETE',self.path,'if-match',self.headers.get('If-Match'),ok)
        if not ok: return self.out(412)
        docs.pop(self.path,None); self.out(204)
http.server.ThreadingHTTPServer(('127.0.0.1',PORT),H).serve_forever()
