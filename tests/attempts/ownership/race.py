import os,subprocess,threading,json,time,sys
M=os.environ['MIGC']
lost=0;res={}
def colleague():
    global i,lost
    while not stop.is_set():
        try:
            with open('c.json') as f: d=json.load(f)
        except Exception: continue
        if d.get('b',0)<i: 
            lost+=1; print('LOST: colleague had written b =',i,', the file has',json.dumps(d)); i=d['b']
        i+=1; d['b']=i
        with open('c.tmp','w') as f: json.dump(d,f)
        os.rename('c.tmp','c.json')
        time.sleep(GAP)
GAP=float(sys.argv[2])
for r in range(int(sys.argv[1])):
    open('c.json','w').write('{"a": %d, "b": 0}'%r); i=0; stop=threading.Event(); t=threading.Thread(target=colleague); t.start()
    open('s.mig','w').write('stage staging < set value of "c.json" at "/a" to %d; > on failure undo;'%(r+1000))
    p=subprocess.run(['timeout','60',M,'run','s.mig'],capture_output=True,text=True); res[p.returncode]=res.get(p.returncode,0)+1
    stop.set(); t.join()
print('lost',lost,'exit codes',res); print(p.stdout[-600:])
